"""Configuration: everything it may say is read, and each thing it may not say is one clear line."""

from __future__ import annotations

from pathlib import Path

import pytest

from ward_hub.config import Config, load, parse
from ward_hub.errors import ConfigError

GOOD = """
[hub]
id = "hub-1"
area = "vn/01/00268"
state = "/var/lib/wardhub"

[trust]
root = "/etc/wardhub/root.cose"

[source]
uri = "coap://source.example:5683"

[[bus]]
name = "bus-1"
port = "/dev/ttyUSB0"

[[amplifier]]
name = "amp-1"
bus = "bus-1"
unit = 1
profile = "wardhub/amp8"
supply_relay = 0
zones = [{ id = "zone-1", relay = 1 }, { id = "zone-2", relay = 2 }]

[[board]]
id = "board-1"
port = "/dev/ttyUSB1"

[audio]
backend = "null"

[airing]
tail_ms = 300

[lan]
listen = "192.168.1.20:5683"

[usb]
mount = "/media/wardhub"

[media]
max_mib = 512
"""
AMPLIFIER = """
[[amplifier]]
name = "amp-2"
bus = "bus-1"
unit = 2
profile = "wardhub/amp8"
zones = [{ id = "zone-9", relay = 1 }]
"""


def refusal(content: str) -> str:
    with pytest.raises(ConfigError) as error:
        parse(content, "hub.toml")
    words = str(error.value)
    assert words.startswith("hub.toml: ")
    assert "\n" not in words
    return words


def test_a_good_one_is_read() -> None:
    config = parse(GOOD, "hub.toml")
    assert config.hub.language == "vi"
    assert [zone.id for zone in config.amplifier[0].zones] == ["zone-1", "zone-2"]
    assert (config.bus[0].baudrate, config.board[0].baudrate) == (19_200, 115_200)
    assert isinstance(config, Config)


METER = """
[[meter]]
amplifier = "amp-1"
bus = "bus-1"
unit = 30
profile = "peacefair/pzem-016"
reading = "power"
heard_from = 40
"""


def test_a_meter_belongs_to_an_amplifier_and_is_expected_on_its_bus() -> None:
    config = parse(GOOD + METER, "hub.toml")
    assert config.meter[0].heard_from == 40.0
    assert config.units_on("bus-1") == {1, 30}
    assert config.units_on("bus-2") == frozenset()
    shared = METER.replace("amp-1", "amp-2").replace("pzem-016", "other")
    assert len(parse(GOOD + AMPLIFIER + METER + shared, "hub.toml").meter) == 2


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("amp-1", "amp-7", "there is no amplifier amp-7"),
        ("bus-1", "bus-7", "meter of amp-1: there is no bus bus-7"),
        ("unit = 30", "unit = 1", "meter of amp-1: unit 1 is that of amplifier amp-1"),
        ("heard_from = 40", "heard_from = 0", "> 0"),
        ("heard_from = 40", "heard_form = 40", "heard_form"),
        ('reading = "power"', "", "reading"),
        (METER, METER + METER, "meter: amplifier amp-1 is used twice"),
    ],
)
def test_a_meter_that_cannot_be(old: str, new: str, complaint: str) -> None:
    assert complaint in refusal(GOOD + METER.replace(old, new))


def test_no_way_in_is_open_that_was_not_written() -> None:
    config = parse(GOOD[: GOOD.index("[lan]")], "hub.toml")
    assert (config.lan, config.usb) == (None, None)


@pytest.mark.parametrize(
    ("listen", "endpoint"),
    [
        ("192.168.1.20:5683", ("192.168.1.20", 5683)),
        ("0.0.0.0:1", ("0.0.0.0", 1)),
        ("[fe80::1%eth0]:65535", ("fe80::1%eth0", 65_535)),
        ("[::]:5683", ("::", 5683)),
    ],
)
def test_where_it_listens(listen: str, endpoint: tuple[str, int]) -> None:
    config = parse(GOOD.replace("192.168.1.20:5683", listen), "hub.toml")
    assert config.lan is not None
    assert config.lan.endpoint() == endpoint


@pytest.mark.parametrize(
    "listen",
    [
        "",
        "192.168.1.20",
        ":5683",
        "*:5683",
        "hub.local:5683",
        "192.168.1.20:",
        "192.168.1.20:0",
        "192.168.1.20:65536",
        "192.168.1.20:56 83",
        "192.168.1.20:+5683",
        "192.168.1:5683",
        "[192.168.1.20]:5683",
        "::1:5683",
        "[::1:5683",
    ],
)
def test_where_it_cannot_listen(listen: str) -> None:
    assert "write ADDRESS:PORT" in refusal(GOOD.replace("192.168.1.20:5683", listen))


def test_a_hub_without_outputs_is_allowed() -> None:
    config = parse(GOOD[: GOOD.index("[[bus]]")], "hub.toml")
    assert (config.amplifier, config.board, config.bus) == ((), (), ())


@pytest.mark.parametrize(
    "section",
    [
        "[hub]",
        "[trust]",
        "[source]",
        "[lan]",
        "[usb]",
        "[media]",
        "[[bus]]",
        "[[amplifier]]",
        "[[board]]",
        "[audio]",
        "[airing]",
    ],
)
def test_a_key_that_nobody_reads_is_refused_in_every_section(section: str) -> None:
    assert "unknown field `colour`" in refusal(GOOD.replace(section, section + "\ncolour = 1"))


def test_a_key_that_nobody_reads_is_refused_in_zones_and_at_the_top() -> None:
    assert "unknown field `colour`" in refusal(GOOD.replace("relay = 1 }", "relay = 1, colour = 1 }"))
    assert "unknown field `colour`" in refusal("colour = 1\n" + GOOD)
    assert "unknown field `colours`" in refusal(GOOD + "\n[colours]\nred = 1\n")


@pytest.mark.parametrize("key", ["id", "area", "root", "uri", "port", "unit", "profile", "listen", "mount"])
def test_what_is_needed_is_asked_for_by_name(key: str) -> None:
    line = next(line for line in GOOD.splitlines() if line.startswith(f"{key} = "))
    assert f"missing required field `{key}`" in refusal(GOOD.replace(line + "\n", "", 1))


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ('id = "hub-1"', 'id = "Hub 1"', "$.hub.id"),
        ('id = "hub-1"', "id = 7", "$.hub.id"),
        ('area = "vn/01/00268"', 'area = "vn//01"', "$.hub.area"),
        ('uri = "coap:', 'uri = "http:', "$.source.uri"),
        ("unit = 1", "unit = 0", "$.amplifier[0].unit"),
        ("unit = 1", "unit = 248", "$.amplifier[0].unit"),
        ("relay = 1", "relay = -1", "$.amplifier[0].zones[0].relay"),
        ("[[bus]]", "[[bus]]\nbaudrate = 1200", "$.bus[0].baudrate"),
        ("[[board]]", "[[board]]\nbaudrate = 1200", "$.board[0].baudrate"),
        ('backend = "null"', 'backend = "tape"', "$.audio.backend"),
        ('backend = "null"', 'voice = "loud"', "$.audio.voice"),
        ("tail_ms = 300", "tail_ms = -1", "$.airing.tail_ms"),
        ("tail_ms = 300", "board_lease_ms = 60001", "$.airing.board_lease_ms"),
        ("tail_ms = 300", "max_attempts = 0", "$.airing.max_attempts"),
        ("[lan]", "[lan]\nmax_uploads = 0", "$.lan.max_uploads"),
        ("[lan]", "[lan]\nmax_mib_per_peer = 8", "$.lan.max_mib_per_peer"),
        ("max_mib = 512", "max_mib = 63", "$.media.max_mib"),
        ("max_mib = 512", "max_ahead_mib = 7", "$.media.max_ahead_mib"),
        ('state = "/var', 'language = "fr"\nstate = "/var', "$.hub.language"),
        ('zones = [{ id = "zone-1", relay = 1 }, { id = "zone-2", relay = 2 }]', "zones = []", "$.amplifier[0].zones"),
    ],
)
def test_values_out_of_range_are_named_by_their_place(old: str, new: str, where: str) -> None:
    assert old in GOOD
    assert f"`{where}`" in refusal(GOOD.replace(old, new, 1))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (GOOD.replace('bus = "bus-1"', 'bus = "bus-2"'), "amplifier amp-1: there is no bus bus-2"),
        (GOOD.replace("relay = 2", "relay = 1"), "amplifier amp-1: relay 1 is used twice"),
        (GOOD.replace("relay = 2", "relay = 0"), "amplifier amp-1: relay 0 is used twice"),
        (GOOD.replace('"zone-2"', '"zone-1"'), "zone id zone-1 is used twice"),
        (GOOD + AMPLIFIER.replace("zone-9", "zone-1"), "zone id zone-1 is used twice"),
        (GOOD + AMPLIFIER.replace("amp-2", "amp-1"), "amplifier name amp-1 is used twice"),
        (GOOD + AMPLIFIER.replace("unit = 2", "unit = 1"), "bus and unit of an amplifier ('bus-1', 1) is used twice"),
        (GOOD + '[[bus]]\nname = "bus-1"\nport = "/dev/x"\n', "bus name bus-1 is used twice"),
        (GOOD.replace("ttyUSB1", "ttyUSB0"), "serial port /dev/ttyUSB0 is used twice"),
        (GOOD + '[[board]]\nid = "board-1"\nport = "/dev/x"\n', "board id board-1 is used twice"),
    ],
)
def test_what_does_not_fit_together_is_said(content: str, words: str) -> None:
    assert words in refusal(content)


def amplifiers(zones: int) -> str:
    groups = []
    for number in range(0, zones, 4):
        numbers = range(number, min(number + 4, zones))
        listed = ", ".join(f'{{ id = "z{one}", relay = {one - number} }}' for one in numbers)
        head = f'[[amplifier]]\nname = "a{number}"\nbus = "bus-1"\nunit = {number + 10}\nprofile = "x/y"\n'
        groups.append(f"{head}zones = [{listed}]\n")
    return "".join(groups)


def test_not_more_outputs_than_a_receipt_can_hold() -> None:
    plain = GOOD[: GOOD.index("[[amplifier]]")]
    assert len(parse(plain + amplifiers(64), "hub.toml").amplifier) == 16
    assert "at most 64 zones and 8 boards" in refusal(plain + amplifiers(65))
    boards = "".join(f'[[board]]\nid = "b{number}"\nport = "/dev/b{number}"\n' for number in range(9))
    assert "at most 64 zones and 8 boards" in refusal(plain + boards)


@pytest.mark.parametrize("content", ["[hub", "a = 1\na = 2", "= 1", "hub = 3"])
def test_what_is_no_toml_or_no_table(content: str) -> None:
    refusal(content)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml: cannot be read"):
        load(tmp_path / "nowhere.toml")
    (tmp_path / "latin.toml").write_bytes(b"# \xff\xfe")
    with pytest.raises(ConfigError, match=r"latin\.toml: cannot be read"):
        load(tmp_path / "latin.toml")


def test_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "hub.toml").write_text(GOOD, encoding="utf-8")
    assert load(tmp_path / "hub.toml") == parse(GOOD, "hub.toml")


# The hub's key on a token

URI = "pkcs11:token=ward;object=hub?module-path=/usr/lib/p11.so"


def with_key(uri: str) -> str:
    return GOOD.replace("[trust]", f'key = "{uri}"\n[trust]')


def test_a_key_on_a_token_is_read() -> None:
    assert parse(GOOD, "hub.toml").key is None
    config = parse(with_key(f"{URI}&pin-source=file:/etc/pin"), "hub.toml")
    assert config.key is not None
    assert (str(config.key), config.key.pin_source) == ("token ward, key hub", Path("/etc/pin"))


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        (URI, "key: nobody is there to type a PIN: name its file with pin-source=file:/PATH"),
        ("hub.pem", "key: a PKCS#11 URI begins with pkcs11:"),
        (f"{URI}&pin-value=8417", "key: pin-value: a PIN never stands in a URI"),
        (f"{URI}&colour=1", "key: colour: only module-path, pin-source are understood there"),
    ],
)
def test_a_key_that_cannot_be_used_is_said_and_no_pin_repeated(uri: str, words: str) -> None:
    told = refusal(with_key(uri))
    assert words in told
    assert "`$.hub`" in told
    assert "8417" not in told
