"""stix_check.py: whether a bundle keeps the rules of STIX 2.1 (OASIS standard): required properties, forms of ids and times, references
that stand in the bundle, patterns; of observables that their ids are those of the standard's section 2.9. Knows nothing of the program.
"""
import datetime
import ipaddress
import json
import re
import uuid

OBSERVABLES = uuid.UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")
ID = re.compile(r"^([a-z0-9-]+)--([0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})$")
TIME = re.compile(r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?Z$")
COMMON = {"type", "spec_version", "id", "created_by_ref", "created", "modified", "revoked", "labels", "confidence", "lang", "external_references",
          "object_marking_refs", "granular_markings", "extensions"}
# type: (required, optional), beside the common ones; and of observables what makes the id
OBJECTS = {
    "identity": ({"name"}, {"description", "roles", "identity_class", "sectors", "contact_information"}),
    "malware": ({"is_family"}, {"name", "description", "malware_types", "aliases", "kill_chain_phases", "first_seen", "last_seen",
                                "operating_system_refs", "architecture_execution_envs", "implementation_languages", "capabilities", "sample_refs"}),
    "observed-data": ({"first_observed", "last_observed", "number_observed"}, {"objects", "object_refs"}),
    "indicator": ({"pattern", "pattern_type", "valid_from"}, {"name", "description", "indicator_types", "pattern_version", "valid_until",
                                                              "kill_chain_phases"}),
    "note": ({"content", "object_refs"}, {"abstract", "authors"}),
    "sighting": ({"sighting_of_ref"}, {"description", "first_seen", "last_seen", "count", "observed_data_refs", "where_sighted_refs", "summary"}),
}
CYBER = {
    "ipv4-addr": ({"value"}, {"resolves_to_refs", "belongs_to_refs"}, ["value"]),
    "ipv6-addr": ({"value"}, {"resolves_to_refs", "belongs_to_refs"}, ["value"]),
    "autonomous-system": ({"number"}, {"name", "rir"}, ["number"]),
    "network-traffic": ({"protocols"}, {"start", "end", "is_active", "src_ref", "dst_ref", "src_port", "dst_port", "src_byte_count", "dst_byte_count",
                                        "src_packets", "dst_packets", "ipfix", "src_payload_ref", "dst_payload_ref", "encapsulates_refs",
                                        "encapsulated_by_ref"},
                        ["start", "end", "src_ref", "dst_ref", "src_port", "dst_port", "protocols", "extensions"]),
}
TERM = re.compile(r"""(ipv4-addr:value|ipv6-addr:value|domain-name:value|url:value|user-account:account_login|user-account:credential)"""
                  r""" = '((?:[^'\\]|\\['\\])*)'""")


def of_pattern(text):
    """What is wrong with a comparison expression of ours; "" nothing."""
    if not (text.startswith("[") and text.endswith("]")):
        return "no observation expression"
    rest = text[1:-1]
    while True:
        hit = TERM.match(rest)
        if not hit:
            return f"no comparison: {rest[:60]}"
        if hit[1] in ("ipv4-addr:value", "ipv6-addr:value"):
            try:
                ipaddress.ip_network(hit[2])
            except ValueError:
                return f"no address: {hit[2]}"
        rest = rest[hit.end():]
        if not rest:
            return ""
        if not rest.startswith(" AND "):
            return f"behind a comparison: {rest[:40]}"
        rest = rest[5:]


def wrong(bundle):
    """What is wrong with a bundle (an object), a line each."""
    found = []
    if set(bundle) != {"type", "id", "objects"} or bundle["type"] != "bundle":
        return ["not a bundle"]
    if not ID.match(bundle["id"]) or not bundle["id"].startswith("bundle--"):
        found.append(f"bundle id {bundle['id']}")
    ids = [o.get("id") for o in bundle["objects"]]
    if len(set(ids)) != len(ids):
        found.append("an id twice")
    for o in bundle["objects"]:
        found += [f"{o.get('id')}: {text}" for text in of_object(o, set(ids))]
    return found


def of_object(o, ids):
    kind = o.get("type")
    hit = ID.match(str(o.get("id")))
    if not hit or hit[1] != kind:
        yield f"id of type {kind}"
        return
    if o.get("spec_version") != "2.1":
        yield "spec_version"
    if kind in CYBER:
        required, optional, naming = CYBER[kind]
        allowed = {"type", "spec_version", "id", "object_marking_refs", "granular_markings", "defanged", "extensions"} | required | optional
        name = json.dumps({k: o[k] for k in naming if k in o}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        if str(uuid.uuid5(OBSERVABLES, name)) != hit[2]:
            yield "an observable's id is not made of what it is"
    elif kind in OBJECTS:
        required, optional = OBJECTS[kind]
        required = required | {"created", "modified"}
        allowed = COMMON | required | optional
        if o.get("created", "") > o.get("modified", ""):
            yield "modified before it was created"
    else:
        yield f"type {kind} is not known here"
        return
    if required - set(o):
        yield f"lacks {required - set(o)}"
    if set(o) - allowed:
        yield f"has {set(o) - allowed}"
    yield from of_values(o, ids)
    yield from OF.get(kind, lambda o: ())(o)


def is_time(text):
    """Of the form, and a day that there is."""
    try:
        datetime.datetime.fromisoformat(text[:19])
    except ValueError:
        return False
    return bool(TIME.match(text))


def of_values(o, ids):
    if not str(o.get("created_by_ref", "identity--")).startswith("identity--"):
        yield "created by what is no identity"
    for key, value in o.items():
        if key in ("created", "modified", "first_observed", "last_observed", "valid_from", "valid_until", "first_seen", "last_seen", "start", "end"):
            if not is_time(str(value)):
                yield f"{key} {value} is no time"
        if key.endswith("_ref") and value not in ids:
            yield f"{key} leads to nothing: {value}"
        if key.endswith("_refs") and (not value or any(v not in ids for v in value)):
            yield f"{key} leads to nothing"
        if value in ("", [], {}, None):
            yield f"{key} is empty"


def of_address(o):
    try:
        if f"ipv{ipaddress.ip_address(o['value']).version}-addr" != o["type"]:
            yield "another version of IP"
    except ValueError:
        yield f"value {o['value']}"


def of_observed(o):
    if not 1 <= o["number_observed"] <= 999999999:
        yield "number_observed"
    if o["first_observed"] > o["last_observed"]:
        yield "last observed before the first"
    if ("objects" in o) == ("object_refs" in o):
        yield "objects or object_refs, one of them"
    if any(ref.split("--")[0] not in CYBER for ref in o.get("object_refs", [])):
        yield "refers to what is no observable"


def of_sighting(o):
    if o["sighting_of_ref"].split("--")[0] not in OBJECTS or o["sighting_of_ref"].startswith(("sighting--", "observed-data--")):
        yield "a sighting of what can't be sighted"
    if o.get("first_seen", "") > o.get("last_seen", "9"):
        yield "last seen before the first"
    if any(not ref.startswith("observed-data--") for ref in o.get("observed_data_refs", [])):
        yield "observed_data_refs"
    if any(ref.split("--")[0] not in ("identity", "location") for ref in o.get("where_sighted_refs", [])):
        yield "where_sighted_refs"
    if not 0 <= o.get("count", 0) <= 999999999:
        yield "count"


def of_indicator(o):
    if o["pattern_type"] != "stix":
        yield "pattern_type"
    elif of_pattern(o["pattern"]):
        yield of_pattern(o["pattern"])


def of_traffic(o):
    if not o["protocols"] or ("src_ref" not in o and "dst_ref" not in o):
        yield "protocols, and a source or a destination"
    if any(not 0 <= o.get(k, 0) <= 65535 for k in ("src_port", "dst_port")):
        yield "a port"


OF = {"ipv4-addr": of_address, "ipv6-addr": of_address, "observed-data": of_observed, "sighting": of_sighting, "indicator": of_indicator,
      "network-traffic": of_traffic}
