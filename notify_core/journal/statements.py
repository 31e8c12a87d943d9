"""The statements of the journal: the same texts for SQLite and PostgreSQL."""

from __future__ import annotations

from typing import Final

from notify_core.delivery import Stage
from notify_core.journal.dialects import among_due

COLUMNS: Final = (
    "id, content_id, message_id, number, priority, stage, due_at, deadline_at, owner, lease, "
    "wish, created_at, config, route, recipient, plan, progress"
)
"""What an entry is made of, beside the content."""

ADD_CONTENT: Final = "INSERT INTO notify_contents (id, content) VALUES (:id, :content)"

ADD_DELIVERY: Final = """
INSERT INTO notify_deliveries (
    id, content_id, message_id, number, priority, stage, due_at, deadline_at, owner, lease, wish,
    created_at, changed_at, config, route, recipient, plan, progress, channel, provider,
    provider_id, outcome, cost
) VALUES (
    :id, :content_id, :message_id, :number, :priority, :stage, :due_at, :deadline_at, :owner,
    :lease, :wish, :created_at, :changed_at, :config, :route, :recipient, :plan, :progress,
    :channel, :provider, :provider_id, :outcome, :cost
)
"""

ADD_ADDRESS: Final = """
INSERT INTO notify_addresses (address, delivery_id) VALUES (:address, :delivery_id)
"""

# A key whose time is over is anybody's. Of two at once the second waits for the first to commit.
ADD_KEY: Final = """
INSERT INTO notify_keys (idempotency_key, message_id, content_id, fingerprint, until)
VALUES (:key, :message_id, :content_id, :fingerprint, :until)
ON CONFLICT (idempotency_key) DO UPDATE SET
    message_id = excluded.message_id, content_id = excluded.content_id,
    fingerprint = excluded.fingerprint, until = excluded.until
WHERE notify_keys.until <= :now
RETURNING message_id
"""

DROP_KEY: Final = """
DELETE FROM notify_keys WHERE idempotency_key = :key AND content_id = :content_id
"""

FIND_KEY: Final = """
SELECT message_id, content_id, fingerprint, until FROM notify_keys WHERE idempotency_key = :key
"""

_RETURNED: Final = ", ".join(f"notify_deliveries.{column.strip()}" for column in COLUMNS.split(","))

# All that an entry is made of, of a row that was changed.
_CHANGED: Final = f"""
RETURNING {_RETURNED}, (
    SELECT content FROM notify_contents WHERE notify_contents.id = notify_deliveries.content_id
)
"""

CLAIM: Final = f"""
UPDATE notify_deliveries SET owner = :owner, lease = lease + 1, due_at = :until
WHERE id {{among}}
{_CHANGED}"""

_DUE_IN_LANE: Final = """
    SELECT id FROM notify_deliveries
    WHERE priority = :priority AND due_at <= :now
    ORDER BY due_at LIMIT :most
"""

AMONG_DUE: Final = among_due(_DUE_IN_LANE)

CLAIM_ONE: Final = f"""
UPDATE notify_deliveries SET owner = :owner, lease = lease + 1, due_at = :until
WHERE id = :id AND stage = 'under_way' AND due_at <= :now
{_CHANGED}"""

_STANDING: Final = """
    progress = :progress, owner = :owner, changed_at = :changed_at, channel = :channel,
    provider = :provider, provider_id = :provider_id, outcome = :outcome, cost = :cost
"""

# A wish that came while the delivery was leased is seen at once by whoever claims it next; one that
# the writer knew of has had its effect.
_AS_KNOWN: Final = "COALESCE(wish, '') = COALESCE(CAST(:wish AS TEXT), '')"

WRITE: Final = f"""
UPDATE notify_deliveries SET {_STANDING},
    stage = CASE WHEN {_AS_KNOWN} THEN :stage ELSE :stage_if_wished END,
    due_at = CASE WHEN {_AS_KNOWN} THEN CAST(:due_at AS BIGINT)
        ELSE CAST(:due_if_wished AS BIGINT) END
WHERE id = :id AND lease = :lease
RETURNING wish, stage, due_at
"""

WRITE_UNLESS_WISHED: Final = f"""
UPDATE notify_deliveries SET {_STANDING}, stage = :stage, due_at = :due_at
WHERE id = :id AND lease = :lease AND wish IS NULL
RETURNING wish, stage, due_at
"""

AMEND: Final = f"""
UPDATE notify_deliveries SET {_STANDING}, stage = :stage, due_at = :due_at, wish = :wish,
    lease = lease + 1
WHERE id = :id
"""

EXTEND: Final = """
UPDATE notify_deliveries SET due_at = :until WHERE id = :id AND owner = :owner
"""

RELEASE: Final = """
UPDATE notify_deliveries SET due_at = :now, owner = NULL
WHERE id = :id AND lease = :lease AND owner = :owner
"""

NEXT_DUE: Final = """
SELECT min(due_at) FROM notify_deliveries WHERE priority = :priority AND due_at IS NOT NULL
"""

_SELECT: Final = f"""
SELECT {_RETURNED}, notify_contents.content FROM notify_deliveries
LEFT JOIN notify_contents ON notify_contents.id = notify_deliveries.content_id
"""

LOAD: Final = f"{_SELECT} WHERE notify_deliveries.id = :id"
LOAD_LOCKED: Final = f"{_SELECT} WHERE notify_deliveries.id = :id {{lock}}"

OF_CONTENT: Final = f"{_SELECT} WHERE content_id = :content_id ORDER BY number"

# What does not matter is null. Ids begin with the time, so their order is that of the deliveries.
SEARCH: Final = f"""
{_SELECT}
WHERE notify_deliveries.id < :below AND notify_deliveries.id >= :above {{conditions}}
ORDER BY notify_deliveries.id DESC LIMIT :most
"""

CONDITIONS: Final = {
    "outcome": "outcome = :outcome",
    "route": "route = :route",
    "provider": "provider = :provider",
    "message_id": "message_id = :message_id",
    "address": (
        "notify_deliveries.id IN "
        "(SELECT delivery_id FROM notify_addresses WHERE address = :address)"
    ),
}

# Words and not parameters, so that the partial indexes serve.
IN_STAGE: Final = {
    Stage.UNDER_WAY: (
        "notify_deliveries.id IN (SELECT id FROM notify_deliveries WHERE due_at IS NOT NULL)"
    ),
    Stage.HELD: "stage = 'held'",
    Stage.ENDED: "stage = 'ended'",
}

UNDER_WAY: Final = "SELECT count(*) FROM notify_deliveries WHERE due_at IS NOT NULL"
HELD: Final = "SELECT count(*) FROM notify_deliveries WHERE stage = 'held'"
DUE: Final = """
SELECT count(*), min(due_at) FROM notify_deliveries
WHERE due_at IS NOT NULL AND due_at <= :now
"""

# What is in doubt keeps its pause: it is there so that a question finds what is late.
WISH: Final = f"""
UPDATE notify_deliveries SET
    wish = CASE WHEN wish = 'cancel' THEN wish ELSE CAST(:wish AS TEXT) END,
    stage = 'under_way',
    due_at = CASE
        WHEN due_at IS NOT NULL AND (owner IS NOT NULL OR outcome = 'unknown') THEN due_at
        ELSE CAST(:now AS BIGINT)
    END
WHERE id = :id AND stage <> 'ended'
{_CHANGED}"""

HEALTH: Final = "SELECT health FROM notify_providers WHERE name = :name"
ADD_HEALTH: Final = """
INSERT INTO notify_providers (name, health) VALUES (:name, :health)
ON CONFLICT (name) DO NOTHING RETURNING name
"""
SWAP_HEALTH: Final = """
UPDATE notify_providers SET health = :now WHERE name = :name AND health = :known RETURNING name
"""

# Purging goes page by page, from one id to the next, so that nobody waits long to write.
OLD_TEXTS: Final = """
SELECT id FROM notify_contents
WHERE id > :after AND id < :below AND content IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM notify_deliveries
    WHERE content_id = notify_contents.id AND stage <> 'ended'
)
ORDER BY id LIMIT :most
"""

PURGE_TEXT: Final = "UPDATE notify_contents SET content = NULL WHERE id = :id"

OLD_WITH_NUMBERS: Final = """
SELECT id, progress, content_id FROM notify_deliveries
WHERE id > :after AND id < :below AND stage = 'ended' AND recipient IS NOT NULL
ORDER BY id LIMIT :most {lock}
"""

ERASE_NUMBERS: Final = """
UPDATE notify_deliveries SET recipient = NULL, progress = :progress, provider_id = NULL
WHERE id = :id
"""

OLD_ROWS: Final = """
SELECT id, content_id FROM notify_deliveries
WHERE id > :after AND id < :below AND stage = 'ended'
ORDER BY id LIMIT :most
"""

PURGE_ROW: Final = "DELETE FROM notify_deliveries WHERE id = :id"

PURGE_CONTENT: Final = """
DELETE FROM notify_contents WHERE id = :content_id
AND NOT EXISTS (SELECT 1 FROM notify_deliveries WHERE content_id = :content_id)
"""

PURGE_KEYS: Final = "DELETE FROM notify_keys WHERE until <= :now"

# The last column counts the deliveries of the same message that are not over, this one included.
TO_ADDRESS: Final = """
SELECT id, progress, content_id, (
    SELECT count(*) FROM notify_deliveries AS others
    WHERE others.content_id = notify_deliveries.content_id AND others.stage <> 'ended'
)
FROM notify_deliveries
WHERE id IN (SELECT delivery_id FROM notify_addresses WHERE address = :address) {lock}
"""

FORGET_ADDRESS: Final = "DELETE FROM notify_addresses WHERE delivery_id = :id"

FORGET_CONTENT: Final = """
UPDATE notify_contents SET content = NULL WHERE id = :content_id
AND NOT EXISTS (
    SELECT 1 FROM notify_deliveries
    WHERE content_id = :content_id AND stage <> 'ended'
)
"""
