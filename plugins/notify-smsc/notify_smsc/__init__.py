"""The SMSC.RU gateway as a provider, and ``smsc_api.SmscApi`` for users of the vendor's library."""
