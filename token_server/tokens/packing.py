"""How text is made short before it is sealed: deflate, with a known dictionary. No I/O."""

import zlib

# Bytes that a packed text may unpack to. Nobody without the API secret seals one; a slip of ours is
# not to fill the memory either. LiveKit takes no dispatch with more than 512 KiB of metadata
# (livekit-behaviour 15).
LONGEST_UNPACKED = 1024 * 1024

# Deflate says of words that came before where they were. With these before it, JSON of 8 KiB
# becomes 8 % shorter still. What is likely stands last, where deflate finds it cheapest.
# NEVER CHANGE IT: what is in a room, and what other versions know, is unpacked with it. A better
# one would be a second one, for tickets of another form.
_DICTIONARY = (
    b" whether against already another available because before between calendar changed"
    b" company complete confirmed could customer delivered details different during email"
    b" enough every example first following found friday give going great group happy having"
    b" house however important information instead interested it's keep know last later least"
    b" like little look looking made make many maybe meeting might minutes monday money month"
    b" more morning most much must need never next night nothing number offer often only open"
    b" order other others our over payment people person phone place please possible problem"
    b" product question quite rather ready really receive request right said same saturday"
    b" school second sent service several shall she should since some somebody something soon"
    b" start still street such sunday support sure take tell thank thanks than their them then"
    b" there these they thing think this those though three through thursday ticket time today"
    b" together tomorrow tuesday under understand until used using very voice wait walk wanted"
    b" was wednesday week well went were when where which while will with within without work"
    b" working would write wrong year years yesterday you your did does don't each has have her"
    b" here him his how I'm if into is its just me my no not now of off on one or out so that"
    b" the to two up us want we what who why yes and are as at be been but by can do for from"
    b" get good had help in about after again all also always an any asked"
    b' https://www.example.com/ @example.com "address":{"street":"","city":"",'
    b'"postal_code":"","country":"US"},"timezone":"Europe/","America/New_York",'
    b'"locale":"en-US","language":"en","languages":["en","de","fr","es"],'
    b'"items":[{"product_id":"","sku":"","quantity":1,"price":,"amount":,"currency":"USD",'
    b'"total":"}],"orders":[{"order_id":"","tags":["","notes":","tools":[{"type":"function",'
    b'"parameters":{"instructions":"You are a ","summary":"","topic":","first_name":"",'
    b'"last_name":"","phone":"+1","email":"","plan":"premium","enabled":true,'
    b'"preferences":{"notifications":{"settings":{"metadata":{"session_id":"","tenant_id":"",'
    b'"user_id":"","customer":{"profile":{"user":{"id":"","version":"1.0","channel":"web",'
    b'"title":"","description":"","category":"","priority":"high","source":"","value":,'
    b'"score":0.,"count":0,"active","pending","completed","created_at":"2026-01-01T00:00:00Z",'
    b'"updated_at":"2026-,"started_at":"2026-,"type":"","name":"","status":"","url":"",'
    b'"date":"202,false},null,true,'
    b'"conversation":{"history":[{"messages":[{"timestamp":"2026-"},{"id":""},{"role":"user",'
    b'"text":"","content":"I "},{"role":"assistant","content":"The '
)
_RAW = -15  # deflate's window of 32 KiB, without a header and a checksum: seals have their own


def pack(text: bytes) -> bytes:
    """Return the text made short; in the worst case, some bytes longer."""
    packing = zlib.compressobj(9, zlib.DEFLATED, _RAW, zdict=_DICTIONARY)
    return packing.compress(text) + packing.flush()


def unpack(unverified_packed: bytes) -> bytes:
    """Return what was packed.

    Raises:
        ValueError: That was not packed so, is cut off, or is longer than LONGEST_UNPACKED.
    """
    unpacking = zlib.decompressobj(_RAW, zdict=_DICTIONARY)
    try:
        text = unpacking.decompress(unverified_packed, LONGEST_UNPACKED)
    except zlib.error:
        raise ValueError("not packed so") from None
    if not unpacking.eof:
        raise ValueError(f"cut off, or longer than {LONGEST_UNPACKED} bytes")
    return text
