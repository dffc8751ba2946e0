"""How text is made short: JSON without spaces, and deflate with a known dictionary. No I/O."""

import json
import zlib

# Bytes that a packed text may unpack to. Nobody without the API secret seals one; a slip of ours is
# not to fill the memory either. LiveKit takes no dispatch with more than 512 KiB of metadata
# (livekit-behaviour 15).
LONGEST_UNPACKED = 1024 * 1024

# Deflate says of words that came before where they were. With these before it, JSON of 8 KiB
# becomes 11 % shorter still, of 1 KiB a quarter. What is likely stands last, where it is cheapest.
# NEVER CHANGE IT: what is in a room, and what other versions know, is unpacked with it. A better
# one would be a second one, for tickets of another form.
_DICTIONARY = (
    b" able above accept according account across action activity actually add additional"
    b" address advice affect age ago agree agreement air allow almost alone along although"
    b" amount answer anybody anyone anything apartment appear apply appointment approach april"
    b" area arrive article asks attached attention august average away back bad balance bank"
    b" based basic bed began begin behind believe below benefit best better beyond big bill"
    b" birthday black block blue board body book booked booking both bought box break bring"
    b" brother brought budget build building built business busy button buy call called caller"
    b" calling calls came cancel cancelled cannot card care carefully case cash cause center"
    b" central certain certainly chance check child children choice choose city claim class"
    b" clear clearly client close closed code cold collect color come comes coming comment"
    b" common community compare concern condition confirm connect connected consider contact"
    b" contain content continue contract control cost count couple course cover create created"
    b" credit current currently cut daily damage dark data daughter day days deal dear december"
    b" decide decision deep default delay delivery department depends design detail develop"
    b" device difference difficult dinner direct directly discuss doctor document done door"
    b" double doubt down draft drive driver due early easily easy eat effect eight either else"
    b" emergency end ended energy enjoy enter entire error especially even evening event ever"
    b" everybody everyone everything exactly except exchange expect expected expensive"
    b" experience explain extra eye face fact fail failed fall family far fast father february"
    b" feel fees felt few field file fill final finally find fine finish fire fit five fix"
    b" flight floor food football force foreign forget form forward four free front full future"
    b" game general gets girl given gives glad goal goes gone grand green ground grow guess"
    b" guest half hall hand happen happened happens hard head health hear heard heart heat heavy"
    b" hello helped helps herself high himself history hold holiday home hope hospital hot hotel"
    b" hour hours human hundred husband idea identify image imagine immediately improve include"
    b" included including income increase indeed individual industry inside install insurance"
    b" interest internal international internet invoice issue item itself january job join"
    b" joined july june kept key kids kind knew known lady language large late lately law lead"
    b" learn leave left legal less letter level life light limit line list listen live local"
    b" long longer lose lost lot love low lower luck lunch machine mail main major makes man"
    b" manage manager march mark market married matter maximum means meant medical medicine meet"
    b" member men mention message method middle mind mine minute miss mistake mobile modern"
    b" moment mother move moved music myself name names national natural near nearly necessary"
    b" needed needs new news nice nine none nor normal normally north note noted november"
    b" october offered office officer old older once online opened opinion option original"
    b" ourselves outside own page paid pain paper parents park part particular partner party"
    b" pass passed past patient pay people's per perfect performance perhaps period permission"
    b" personal pick picture piece plan planned play point police policy poor popular position"
    b" post power prefer prepare present president press pretty prevent previous price print"
    b" private probably process produce professional program project promise proof proper"
    b" property protect prove provide public pull purchase purpose put quality quarter quickly"
    b" quiet raise range rate reach read real reality realize reason recent recently recommend"
    b" record red reduce refer refund regarding region regular related relationship remain"
    b" remember remind remove rent repair repeat replace replied reply report represent required"
    b" research reserve resolve respond response rest restaurant result return review rich risk"
    b" road role room rule run safe sale save says schedule screen search season seat section"
    b" security see seem seems seen select sell sense september series serious serve session set"
    b" settings seven share ship shipping shop shopping short show side sign similar simple"
    b" simply single sister site situation six size skill sleep slow slowly small social society"
    b" sold sometimes son song sorry sort sound south space speak special specific speed spend"
    b" spring staff stage stand standard state station stay step stop store story straight"
    b" strange strategy strong student study stuff style subject success suggest suggested"
    b" summer surgery surprise system table taken talk tax teacher team technical teeth ten term"
    b" terms test text themselves therefore third thought thousand tomorrow's tonight took top"
    b" total touch towards town track trade train training transfer travel treatment tree trip"
    b" trouble true trust try trying turn twice types unit unless update upon upset user usual"
    b" usually vacation valid value various version video view visit wants warm watch water way"
    b" weather website weekend weeks weight welcome west white whole whose wife window wish"
    b" woman women wonder word words worked worker world worry worth yellow yet young yours"
    b" yourself zero"
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


def short_json(value: object) -> bytes:
    """Write JSON in UTF-8 and without spaces: escaped, a letter of two bytes takes six."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


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
