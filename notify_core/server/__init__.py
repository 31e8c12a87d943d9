"""Taking in calls of providers over HTTP.

``wsgi.callback_app`` is for WSGI servers and ``asgi.callback_asgi_app`` for those of ASGI; each can
be mounted within an application of any framework. ``notify serve`` is one that stands alone.
"""
