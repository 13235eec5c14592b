"""Phone numbers of every country: the calling codes of E.164, each with numbers that phones there may have."""

from __future__ import annotations

from typing import Final

TEMPLATES: Final[tuple[str, ...]] = tuple(
    """
    +120255501xx +12015xxxxxx +15062xxxxxx +1876210xxxx +2010xxxxxxxx +21197xxxxxxx +21265xxxxxxx +21355xxxxxxx
    +2162xxxxxxx +21891xxxxxxx +2203xxxxxx +220833xxxxxx +22170xxxxxxx +22222xxxxxx +2236xxxxxxx +22460xxxxxxx
    +22501xxxxxxxx +2267xxxxxxx +2279xxxxxxx +22890xxxxxx +229019xxxxxxx +230525xxxxx +2315xxxxxx +23177xxxxxxx
    +23225xxxxxx +23323xxxxxxx +234802xxxxxxx +2356xxxxxxx +23670xxxxxx +23767xxxxxxx +2389xxxxxx +23998xxxxx
    +240222xxxxxx +24106xxxxxx +2412xxxxxx +24206xxxxxxx +24388xxxxx +24399xxxxxxx +24492xxxxxxx +24595xxxxxxx
    +24638xxxxx +2474xxxx +24825xxxxx +24991xxxxxxx +25072xxxxxxx +2519xxxxxxxx +25228xxxxx +25271xxxxxxx
    +2527xxxxxxx +25377xxxxxx +2547xxxxxxxx +25562xxxxxxx +25671xxxxxxx +25779xxxxxx +25882xxxxxxx +26095xxxxxxx
    +26132xxxxxxx +262692xxxxxx +26371xxxxxxx +26481xxxxxxx +26599xxxxxxx +2665xxxxxxx +26771xxxxxx +26876xxxxxx
    +2693xxxxxx +277xxxxxxxx +2781xxx +2905xxxx +2917xxxxxx +29756xxxxx +29821xxxx +2992xxxxx +3069xxxxxxxx
    +3161xxxxxxx +31970xxxxxxxx +3245xxxxxxx +3361xxxxxxx +346xxxxxxxx +35057xxxxxx +35191xxxxxxx +352628xxxxxx
    +35385xxxxxxx +354385xxxxxx +354611xxxx +355672xxxxxx +3569696xxxx +35796xxxxxx +35841xxxx +35841xxxxxxx
    +35841xxxxxxxx +359430xxxxx +35987xxxxxxx +3620xxxxxxx +3706xxxxxxx +37121xxxxxx +372512xxxx +3725xxxxxxx
    +3736xxxxxxx +37477xxxxxx +375294xxxxxx +3763xxxxx +376690xxxxxx +3773xxxxxxx +3776xxxxxxxx +37866xxxxxx
    +38050xxxxxxx +38160xxxxxx +38167xxxxxxxx +3816xxxxxxxx +38260xxxxxx +38343xxxxxx +38592xxxxxxx +38598xxxxxx
    +38631xxxxxx +38761xxxxxx +38767xxxxxxx +38972xxxxxx +3931xxxxxxxx +3932xxxxxxx +40712xxxxxx +4178xxxxxxx
    +420601xxxxxx +421912xxxxxx +423660xxxxxx +42373xxxxx +43664xxxx +43664xxxxxx +43664xxxxxxxxxx +4474xxxxxxxx
    +447781xxxxxx +45344xxxxx +4670xxxxxxx +4740xxxxxx +4851xxxxxxx +49151xxxxxxxx +4917xxxxxxxx +5005xxxx
    +50162xxxxx +5025xxxxxxx +5037xxxxxxx +5049xxxxxxx +5058xxxxxxx +50683xxxxxx +507111xxxx +5076xxxxxxx +50855xxxx
    +5093xxxxxxx +519xxxxxxxx +5222xxxxxxxx +535xxxxxxx +54675xxxxxxx +549112xxxxxxx +55117xxxxxxx +55119xxxxxxxx
    +5622xxxxxxx +57321xxxxxxx +58412xxxxxxx +590690xxxxxx +5917xxxxxxx +5926xxxxxx +59399xxxxxxx +5946942xxxxx
    +595961xxxxxx +596696xxxxxx +59774xxxxx +59894xxxxxx +59978xxxxx +599951xxxxx +6012xxxxxxx +6019xxxxxxxx
    +6141xxxxxxx +6281xxxxxxx +6281xxxxxxxxxx +63905xxxxxxx +6421xxxxxx +6421xxxxxxx +6421xxxxxxxx +6581xxxxxx
    +668xxxxxxxx +67077xxxxxx +67238xxxx +6737xxxxxx +674555xxxx +6757xxxxxxx +6767xxxxxx +67748xxx +67774xxxxx
    +6785xxxxxx +6797xxxxxx +680620xxxx +68182xxxx +6827xxxx +6835xxx +6838884xxx +68572xxxxx +68589xxxxxxxx
    +686720xxxxx +6877xxxxx +68870xxxxx +68890xxxx +68987xxxxxx +69072xx +69072xxxxx +6913501xxx +692235xxxx
    +79xxxxxxxxx +81901xxxxxxx +8210xxxxxxx +8210xxxxxxxx +8491xxxxxxx +850192xxxxxxx +852512xxxxx +853661xxxxx
    +85512xxxxxxx +85591xxxxxx +856202xxxxxxx +85630xxxxxxx +8613xxxxxxxxx +88018xxxxxxxx +88691xxxxxxx
    +9050xxxxxxxx +91812xxxxxxx +9230xxxxxxxx +937xxxxxxxx +9471xxxxxxx +95170xxxx +95921xxxxx +9596xxxxxxxx
    +9607xxxxxx +9613xxxxxx +96171xxxxxx +96279xxxxxxx +96394xxxxxxx +96479xxxxxxxx +96550xxxxxx +96651xxxxxxx
    +96771xxxxxxx +96892xxxxxx +97059xxxxxxx +97150xxxxxxx +972502xxxxxx +9733xxxxxxx +9743xxxxxxx +97517xxxxxx
    +97688xxxxxx +977984xxxxxxx +9891xxxxxxxx +9929xxxxxxxx +9936xxxxxxx +99440xxxxxxx +995555xxxxxx +99670xxxxxxx
    +99891xxxxxxx
    """.split()  # noqa: SIM905 - shorter
)
"""Mobile numbers, with an x for each digit that may be any: of each calling code those of the usual length, the
shortest and the longest (source: metadata of phonenumbers 9.0.43; a test compares them with the library).

The first are fictional: the North American plan keeps 555-0100 to 555-0199 for films and books.
"""
