"""Every bound that a peer could otherwise choose for us (foundation). Unit last in the name."""

from __future__ import annotations

from typing import Final

HEADER_BYTES_MAX: Final = 8 * 1024
"""255 ``after`` entries and 16 segments fit."""
SEGMENT_BYTES_MAX: Final = 1024 * 1024
"""256 cells of ordinary text; a larger thing is an attachment."""
CHANGE_BYTES_MAX: Final = 2 * 1024 * 1024
"""Two of them fit into one request body."""
CELLS_PER_CHANGE_MAX: Final = 256
"""One mask of 32 bytes names them all."""
FORMS_PER_CALL_MAX: Final = 100_000
"""Saved at once, and rows of a file; all are held in memory while they are checked."""
FORM_PROBLEMS_KEPT_MAX: Final = 1000
"""Of what is wrong with forms; the rest is only counted, and nobody reads more."""
FORM_FILE_CELLS_MAX: Final = 1_000_000
"""With text; so many take some 250 MB."""
FORM_FILE_BYTES_MAX: Final = 32 * 1024 * 1024
"""So many forms of ten short words each; the file is held in memory."""
REPLACES_PER_SEGMENT_MAX: Final = 4096
"""256 cells with 16 concurrent writes each."""
AFTER_MAX: Final = 255
"""Devices that wrote to one stream since the author's previous change there."""
SEGMENTS_PER_CHANGE_MAX: Final = 16
TEXT_BYTES_MAX: Final = 64 * 1024
"""A long case note is 10 kB."""
NESTING_MAX: Final = 16
"""Deeper msgpack is an attack."""
CONTROL_ENTRY_BYTES_MAX: Final = 16 * 1024
CONTROL_BODY_BYTES_MAX: Final = 4 * 1024
"""What is larger is a blob."""
BLOB_BYTES_MAX: Final = 1024 * 1024
REQUEST_BODY_BYTES_MAX: Final = 4 * 1024 * 1024
RENDEZVOUS_MESSAGE_BYTES_MAX: Final = 16 * 1024
PAGE_BYTES_DEFAULT: Final = 16 * 1024 * 1024
"""What a client asks for, unless its line is slow: a first sync commits pages of this size."""
ANSWER_BYTES_MAX: Final = 48 * 1024 * 1024
"""A page, its hashes and control pages; what a client reads at most."""
PUSH_BYTES_PER_REQUEST_MAX: Final = 3 * 1024 * 1024
"""Leaves room for the rest of the request body."""
CHANGES_PER_PUSH_MAX: Final = 16 * 1024
"""The smallest change has about 200 bytes: what fits into one request body."""
CONTROL_ENTRIES_PER_REQUEST_MAX: Final = 64
"""Creating a network takes 6, inviting a visitor 2."""
BLOBS_PER_REQUEST_MAX: Final = 4096
"""A rotation has one wrap per device of a unit."""
OWED_PER_REQUEST_MAX: Final = 64
"""Back-fills are grouped by position; one position holds many streams."""
PAGE_ITEMS_MAX: Final = 256 * 1024
"""Items in a page; a page of default size holds about 40,000 changes."""
FEEDS_PER_STREAM_MAX: Final = 256
"""Units that share one case; each further change costs the relay a row per feed."""
RENDEZVOUS_PER_DEVICE_MAX: Final = 64
"""Invitations one device may have open at once."""
RENDEZVOUS_LIFETIME_MS_MAX: Final = 30 * 24 * 3600 * 1000
"""No invitation lies at a relay for longer."""
INVITATION_LIFETIME_MS_MAX: Final = RENDEZVOUS_LIFETIME_MS_MAX - 24 * 3600 * 1000
"""A day less than a relay takes, since its clock is another one."""
RENDEZVOUS_RESULT_MS: Final = 24 * 3600 * 1000
"""How long the last message waits for the joiner; then the rendezvous is gone."""
QUOTA_BYTES_PER_DEVICE_DAY: Final = 200 * 1024 * 1024
QUOTA_BYTES_PER_NETWORK: Final = 16 * 1024 * 1024 * 1024
CLOCK_SKEW_SHOWN_MS: Final = 5 * 60 * 1000
REQUEST_CREATED_SKEW_S: Final = 300
PADDING_CLASSES: Final = (64, 128, 192, 256, 384, 512)
"""Ciphertext lengths; Padme above."""
INVITATION_LIFETIME_MS: Final = 7 * 24 * 3600 * 1000
PASSPHRASE_CHARS_MIN: Final = 15
"""Of a new passphrase, in NFC: NIST SP 800-63B-4, 3.1.1.2, where it is the only factor, as it is
for a laptop that was stolen. Existing ones go on opening what they open."""
ARGON2_MEMORY_KIB_MIN: Final = 64 * 1024
"""Floor pinned in the client (attack 12): RFC 9106 second recommended option."""
ARGON2_ITERATIONS_MIN: Final = 3
ARGON2_MEMORY_KIB_MAX: Final = 1024 * 1024
"""More would stop an old laptop: a changed file must not do that."""
ARGON2_ITERATIONS_MAX: Final = 64
ARGON2_LANES_MAX: Final = 16
UNLOCK_SECONDS_MAX: Final = 12 * 3600
"""A shift; whoever leaves a laptop open overnight types the passphrase again."""
