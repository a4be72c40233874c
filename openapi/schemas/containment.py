"""Containment: whether a schema accepts all values of another one, and if not, the places and reasons.

The forms of both schemas are compared keyword by keyword. If that finds a fault, the canonical form of jsonschema-rs
may still disprove it. References may lead back to a pair of schemas that is being compared; see `memo`.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from openapi.budget import Budget, Limit
from openapi.schemas import keywords
from openapi.schemas.conversion import MARKS, Node, Schema, distinguished, is_parent, keyword_of, tagged, text
from openapi.schemas.faults import (
    ITEM,
    LOOP,
    OTHER,
    UNDECIDED,
    Fault,
    Pair,
    Step,
    first,
    item_at,
    limited,
    of_any_type,
    undecided,
    united,
)
from openapi.schemas.forms import CONTEXTS, MOST_FORMS, WHOLE, EndlessError, Form, TooMuchError, beyond, forms
from openapi.schemas.keywords import Counterpart
from openapi.schemas.memo import FAULTS, Memo
from openapi.schemas.validators import MOST_WEIGHED, Validators

MOST_COMPARISONS, MOST_TOGETHER = Limit(50_000, 5), Limit(50_000, 20)
"""Limits on comparisons of schemas: for one outermost pair, and for all of them."""
MOST_WITHIN = 1_000
"""Limit on the faults of one form; its other faults are not sought."""
_EXACT = 2**53
"""Integers up to this one are floats, too, with the same value."""
LOOKED_UP = 20
"""Schemas, each searched for one property or compared literally, that cost as much as one comparison."""
PATTERN, STEP = 150, 0.5
"""The cost in comparisons of two patterns, and of a step to the forms of a schema."""
MOST_NESTED = 80
"""Limit on the nested pairs that are being compared."""
MOST_LISTED = 300
"""Limit on objects and arrays in one enum: each is compared with every value of another enum."""
NESTED = 2
"""Levels of properties that may distinguish two alternatives."""


@dataclass(frozen=True, slots=True)
class Effort:
    """The limits of one run; beyond them the comparison is undecided."""

    searches_patterns: bool = True
    """True to search for a text that only one of two patterns matches: different patterns may be equivalent."""
    most_comparisons: Limit = MOST_COMPARISONS
    """Limit on comparisons of schemas for one outermost pair."""
    most_together: Limit = MOST_TOGETHER
    """Limit on comparisons of schemas for all pairs together."""
    most_forms: int = MOST_FORMS
    """Limit on forms per schema."""
    most_weighed: Limit = MOST_WEIGHED
    """Limit on the values in schemas that are canonicalized."""


DOCUMENTS = Effort()
"""For two documents that a person reviews."""


class Allowance(NamedTuple):
    """The limits of one run, and what is left of its comparisons; several containments may share it."""

    effort: Effort
    budget: Budget


class Sending(NamedTuple):
    """The assumptions about how the compared values are sent."""

    is_text: bool = False
    """True if they are sent as text: numbers are also strings."""
    is_undeclared_sent: bool = False
    """True if an open object may have any undeclared property, False if only declared ones."""
    unsent: str | None = None
    """The mark of declared properties that are not sent."""


class Containment:
    """Compares schemas, and remembers the faults of each pair. `target` returns the schema of a reference."""

    def __init__(
        self,
        target: Callable[[str], Schema],
        validators: Validators,
        is_same: Callable[[Node, Node], bool],
        sending: Sending,
        allowance: Allowance,
    ) -> None:
        """`is_same` returns True for two nodes that are evidently equal."""
        self._target = target
        self._validators = validators
        self._is_same = is_same
        self._sending = sending
        self._effort, self._budget = allowance
        self._depth = 0
        self._memo = Memo(self._budget.spend)
        self._forms: dict[tuple[int, ...], list[Form]] = {}
        self._names: dict[tuple[int, ...], set[str]] = {}
        self._tags: dict[tuple[str, str], Schema] = {}
        self._demands: dict[tuple[int, str], Node] = {}
        self._held: list[Any] = []  # keeps nodes alive, because their identities are keys
        self.strict = self
        """The same comparison of values with undeclared properties."""

    def faults(self, small: Node, big: Node) -> list[Fault]:
        """The reasons why `big` may refuse values that `small` accepts; it accepts all of them if none is a break."""
        self._budget.begin()
        return self._alone(small, big)

    def _alone(self, small: Node, big: Node) -> list[Fault]:
        self._memo.begin()
        faults = self._faults(small, big)
        self._memo.end()
        return [fault for fault in faults if fault.keyword != LOOP]

    def _faults(self, small: Node, big: Node) -> list[Fault]:
        """The faults of a pair within another one, with a LOOP for each pair that is still being compared."""
        pair = self._at_targets(Pair(_without_true(small), _without_true(big)))
        known = self._memo.recall(pair)
        if known is not None:
            return known
        if self._is_same(pair.small, pair.big):
            return []
        self._memo.assume(pair)
        self._depth += 1
        try:
            faults = [*self._compared(pair), *itertools.islice(self._of_children(pair), MOST_WITHIN)]
        finally:
            self._depth -= 1
        if not self._budget.spend(len(faults) / FAULTS):
            self._memo.cut()
        # For a nested fault, the comparison at its own place has already used the validators.
        is_doubtful = any(fault.is_break and not fault.is_of_child and len(fault.steps) == 1 for fault in faults)
        if is_doubtful and self._validators.covers(pair.big, pair.small):
            faults = [fault for fault in faults if fault.is_of_child or not (fault.is_break or fault.keyword == LOOP)]
        return self._memo.conclude(pair, limited(faults, pair))

    def _at_targets(self, pair: Pair) -> Pair:
        """`pair`, or the targets of two references with one name: many places may refer to them."""
        small, big = (_reference(node) for node in (pair.small, pair.big))
        if small is None or big is None or small.partition("#")[2] != big.partition("#")[2]:
            return pair
        return Pair(Node((self._target(small),)), Node((self._target(big),)))

    def forms(self, node: Node, spend: Callable[[float], None] | None = None) -> list[Form]:
        """`node` as a union of forms; `spend` is called for each step. Raises TooMuchError beyond the limits."""
        if node.key not in self._forms:
            spend = spend or self._spend
            self._held.append(node)
            self._forms[node.key] = forms(node, self._target, lambda: spend(STEP), self._effort.most_forms)
            spend(len(self._forms[node.key]))
        return self._forms[node.key]

    def is_unsent(self, form: Form, name: str) -> bool:
        """True if messages of this direction do not have the property `name`, such as one that is `readOnly`."""
        return self._sending.unsent is not None and any(
            self._is_marked(schema["properties"].get(name)) for schema in form.schemas if "properties" in schema
        )

    def spellings(self, form: Form) -> list[Any]:
        """The listed values of `form`; 1 also as 1.0, which may be no integer."""
        listed = form.listed or []
        if form.kind != "number" or form.is_integer or self._validators.is_fraction_ignored:
            return listed
        return [*listed, *(float(value) for value in listed if type(value) is int and abs(value) <= _EXACT)]

    def _is_marked(self, schema: Schema | None) -> bool:
        seen = set[str]()
        while isinstance(schema, dict) and "$ref" in schema and schema["$ref"] not in seen:
            seen.add(schema["$ref"])
            schema = self._target(schema["$ref"])
        return isinstance(schema, dict) and schema.get(self._sending.unsent or "") is True

    def _spend(self, steps: float) -> None:
        if not self._budget.spend(steps):
            self._memo.cut()
            raise TooMuchError

    def _require_depth(self) -> None:
        if self._depth > MOST_NESTED:
            self._memo.cut()
            raise TooMuchError

    def _compared(self, pair: Pair) -> list[Fault]:
        try:
            self._require_depth()
            self._spend(1)
            small, big = self.forms(pair.small), self.forms(pair.big)
            self._spend(_weight(small, len(big)))
        except TooMuchError as error:
            return [undecided(pair, is_cut=not isinstance(error, EndlessError))]
        faults = list(self._marks(small, big))
        if small and big:
            faults += self._discriminators(pair)
        for kind in dict.fromkeys(form.kind for form in small):
            own, candidates = ([form for form in forms if form.kind == kind] for forms in (small, big))
            faults += self._kind_faults(pair, own, candidates)
        faults = of_any_type(small, faults, _kinds(big))
        here = (Step(pair),)
        faults = [fault if fault.steps else replace(fault, steps=here) for fault in faults]
        return [
            replace(fault, owner=first(pair.big)) if fault.owner is None and fault.keyword != LOOP else fault
            for fault in faults
        ]

    def _marks(self, small: list[Form], big: list[Form]) -> Iterator[Fault]:
        """The changes of marks, which do not decide whether a value is accepted."""
        for mark in (mark for mark in MARKS if mark != "discriminator"):
            in_small, in_big = _marked(small, mark), _marked(big, mark)
            if in_small != in_big and small and big:
                owner = next((schema for form in (*big, *small) if (schema := form.owner(mark))), None)
                yield Fault(mark, in_small, in_big, owner, is_break=False)

    def _discriminators(self, pair: Pair) -> Iterator[Fault]:
        """The changes of how alternatives are distinguished."""
        small, big = distinguished(pair.small, self._target), distinguished(pair.big, self._target)
        for one, other in itertools.zip_longest(small, big):
            in_small, in_big = one and one["discriminator"], other and other["discriminator"]
            if text(in_small) != text(in_big):
                yield Fault("discriminator", in_small, in_big, other or one, is_break=False)

    def _of_children(self, pair: Pair) -> Iterator[Fault]:
        """The faults of the children that both schemas have for one value of their discriminator."""
        parents = [
            [schema["discriminator"] for schema in distinguished(node, self._target) if is_parent(schema)]
            for node in (pair.small, pair.big)
        ]
        for small, big in zip(*parents, strict=False):
            name = small["propertyName"]
            if name != big["propertyName"] or not isinstance(name, str):
                continue
            for value in sorted(small["mapping"].keys() & big["mapping"].keys()):
                tag = self._tags.setdefault((name, value), tagged(name, value))
                one, other = (Node((side["mapping"][value], tag)) for side in (small, big))
                yield from (replace(fault, is_of_child=True) for fault in self._faults(one, other))

    def _kind_faults(self, pair: Pair, own: list[Form], candidates: list[Form]) -> list[Fault]:
        """The faults of the forms of one type."""
        rivals, others = ([form for form in forms if form.listed is None] for forms in (own, candidates))
        self._budget.spend(_weight([*rivals, *others], 1))
        counterparts = keywords.counterparts(rivals, others) if len(others) > 1 else {}
        attempts = [
            (form, self._form_faults(pair, form, counterparts.get(form), candidates))
            for form in own
            if not self._is_empty(form)
        ]
        if len(attempts) > len(candidates) == 1:
            return self._united(attempts, candidates[0])
        return [fault for _, faults in attempts for fault in faults]

    def _united(self, attempts: list[tuple[Form, list[Fault]]], candidate: Form) -> list[Fault]:
        """The faults of alternatives as one, apart from those of the alternative that `candidate` stands for."""
        paired = keywords.namesakes([form for form, _ in attempts], [candidate])
        own = [fault for form, faults in attempts for fault in faults if form in paired]
        return [*own, *united([(form, [] if form in paired else faults) for form, faults in attempts], candidate)]

    def _form_faults(
        self, pair: Pair, form: Form, counterpart: Counterpart | None, candidates: list[Form]
    ) -> list[Fault]:
        if self._sending.is_text and self._is_taken_as_text(pair.big, form):
            return []
        if any(candidate.is_whole for candidate in candidates):
            return []
        if form.listed is not None:
            return list(self._refused(pair, form, candidates))
        open_ones = [candidate for candidate in candidates if candidate.listed is None]
        if not open_ones:
            return self._against_lists(pair, form, candidates)
        if len(open_ones) == 1:
            return self._all_within(pair, form, open_ones[0])
        return self._within_one_of(pair, form, counterpart, open_ones)

    def _within_one_of(
        self, pair: Pair, form: Form, counterpart: Counterpart | None, candidates: list[Form]
    ) -> list[Fault]:
        """The reasons why the candidate that stands for the same alternative as `form` may refuse values of it.

        They are no breaks if another candidate accepts these values. A counterpart that only its place shows is the
        last to be tried.
        """
        namesake = counterpart.form if counterpart and counterpart.is_namesake else None
        own = self._all_within(pair, form, namesake) if namesake else []
        if namesake and not any(fault.is_break for fault in own):
            return own
        held = self._held_by(pair, form, [candidate for candidate in candidates if candidate is not namesake])
        if held is not None:
            return _without_breaks(own, held) if namesake else held
        if self._validators.covers(pair.big, form.node):
            return []
        if counterpart:
            return own or self._all_within(pair, form, counterpart.form)
        summaries = list(dict.fromkeys(candidate.summary for candidate in candidates))
        return [Fault("anyOf", form.summary, summaries, form=form, is_cut=self._memo.is_cut)]

    def _held_by(self, pair: Pair, form: Form, candidates: list[Form]) -> list[Fault] | None:
        """The fewest marks by which one of `candidates` differs from `form`; None if each may refuse a value."""
        attempts = (self._holds(pair, form, candidate) for candidate in self._likely(form, candidates))
        return min((faults for faults in attempts if faults is not None), key=len, default=None)

    def _all_within(self, pair: Pair, form: Form, candidate: Form) -> list[Fault]:
        """The reasons why `candidate` may refuse values of `form`; at most MOST_WITHIN faults."""
        try:
            faults = list(itertools.islice(self._within(pair, form, candidate), MOST_WITHIN))
        except TooMuchError:
            return [Fault(UNDECIDED, form=form, is_cut=True)]
        return faults if len(faults) < MOST_WITHIN else [*faults, Fault(UNDECIDED, form=form, is_cut=True)]

    def _likely(self, form: Form, candidates: list[Form]) -> list[Form]:
        """The candidates that are written the same as `form`, or else all."""
        same = [other for other in candidates if self._is_same(Node(form.schemas), Node(other.schemas))]
        return same or candidates

    def _holds(self, pair: Pair, form: Form, candidate: Form) -> list[Fault] | None:
        """The marks of `candidate`, one of many, that differ from `form`; None if it may refuse a value."""
        faults = []
        try:
            for fault in self._within(pair, form, candidate):
                if fault.is_break:
                    return None
                faults.append(fault)
        except TooMuchError:
            return None
        return faults

    def _against_lists(self, pair: Pair, form: Form, candidates: list[Form]) -> list[Fault]:
        """The faults of `form` if candidates only list values: few texts of a pattern count as if they were listed."""
        is_searched = candidates and self._effort.searches_patterns and form.all_of("pattern")
        try:
            self._spend(PATTERN if is_searched else 0)
        except TooMuchError:
            return [Fault(UNDECIDED, form=form, is_cut=True)]
        texts = keywords.texts(form) if is_searched else None
        if texts is None:
            return [self._none_like(pair, form, candidates)]
        return list(self._refused_of(pair, form, candidates, texts))

    def _none_like(self, pair: Pair, form: Form, listing: list[Form]) -> Fault:
        """The fault that values of a whole type may be refused, except those that the forms in `listing` list."""
        if not listing:
            return Fault("type", form.type, _kinds(self.forms(pair.big)), form=form)
        listed = [value for candidate in listing for value in candidate.listed or ()]
        owner = next((schema for candidate in listing if (schema := candidate.lister)), None)
        return Fault("enum", None, listed, owner, form=form)

    def _refused(self, pair: Pair, form: Form, candidates: list[Form]) -> Iterator[Fault]:
        """The faults of the listed values of `form` that no candidate accepts."""
        if not _is_short(form.listed or []):
            yield Fault(UNDECIDED, form=form, is_cut=True)
            return
        yield from self._refused_of(pair, form, candidates, self.spellings(form))

    def _refused_of(self, pair: Pair, form: Form, candidates: list[Form], values: list[Any]) -> Iterator[Fault]:
        """The faults of those of `values` that `form` accepts and no candidate does."""
        refused = []
        for value in values:
            if not form.may_be(value) or self._validators.accepts(form.node, value) is False:
                continue
            accepted = self._validators.accepts(pair.big, value)
            if accepted is None:
                opaque = next((each for candidate in candidates if (each := candidate.owner("$dynamicRef"))), None)
                yield _uncompared(opaque, "$dynamicRef", form) if opaque else Fault(UNDECIDED, value, form=form)
            elif not accepted:
                refused.append(value)
        if not refused:
            return
        if form.kind == "null" or not candidates:
            yield Fault(
                "nullable" if form.kind == "null" else "type", form.type, _kinds(self.forms(pair.big)), form=form
            )
            return
        owner = next((schema for candidate in candidates if (schema := candidate.lister)), None)
        listed = [value for candidate in candidates for value in candidate.listed or ()]
        keyword = "enum" if owner or len(candidates) > 1 else self._keyword(pair.big, refused[0])
        yield Fault(keyword, refused, listed, owner or candidates[0].owner(keyword), form=form)

    def _keyword(self, big: Node, value: Any) -> str:
        """The keyword that makes `big` refuse `value`."""
        keyword = self._validators.refusal(big, value)
        return {"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum", "const": "enum"}.get(keyword, keyword)

    def _within(self, pair: Pair, form: Form, candidate: Form) -> Iterator[Fault]:
        """The reasons why `candidate`, of the same type, may refuse values of `form`; the cheap checks come first.

        Raises TooMuchError beyond the limits.
        """
        searches = self._effort.searches_patterns
        has_other = searches and set(candidate.all_of("pattern")) - set(form.all_of("pattern"))
        self._spend(PATTERN if has_other else 1 + _weight([form, candidate], len(candidate.names)))
        for difference in keywords.differences(form, candidate, searches, self._validators.is_fraction_ignored):
            yield Fault(*difference, form=form)
        yield from self._beyond(form, candidate)
        if form.kind == "array":
            yield from self._items(pair, form, candidate)
        if form.kind == "object":
            yield from self._properties(pair, form, candidate)
        yield from self._exclusions(pair, form, candidate)

    def _beyond(self, form: Form, candidate: Form) -> Iterator[Fault]:
        """The keywords that are not compared, unless a schema of `form` has the same."""
        for schema in candidate.schemas:
            for key in beyond(schema):
                self._spend(1 + len(form.schemas) // LOOKED_UP)
                demand = self._demand(schema, key)
                if not any(key in own and self._is_same(demand, self._demand(own, key)) for own in form.schemas):
                    yield _uncompared(schema, key, form)

    def _demand(self, schema: dict[str, Any], key: str) -> Node:
        """The keyword `key` of `schema`, with the others that it applies with."""
        if key in WHOLE:
            return Node((schema,))
        if (id(schema), key) not in self._demands:
            names = CONTEXTS.get(key, (key,))
            demand = Node(({name: schema[name] for name in names if name in schema},))
            self._held.append(schema)
            self._demands[id(schema), key] = demand
        return self._demands[id(schema), key]

    def _items(self, pair: Pair, form: Form, candidate: Form) -> Iterator[Fault]:
        highest = min([form.highest_count("maxItems"), *candidate.ends])
        prefix = max(form.prefix, candidate.prefix)
        for index in range(int(min(prefix, highest))):
            self._spend(1)
            faults = self._faults(form.item(index), candidate.item(index))
            yield from self._lifted(pair, form, item_at(index), faults)
        if highest > prefix:
            yield from self._lifted(pair, form, ITEM, self._faults(form.items, candidate.items))

    def _exclusions(self, pair: Pair, form: Form, candidate: Form) -> Iterator[Fault]:
        for excluded in candidate.excluded:
            self._spend(1 + len(form.excluded) // 10)
            is_alternative = all(schema.get("not") is not excluded for schema in candidate.schemas)
            if is_alternative and self._is_evidently_apart(pair.small, form, Node((excluded,))):
                continue
            assumed = self._assumed_to_exclude(Node((excluded,)), form, is_alternative)
            if assumed is not None:
                yield from assumed
            elif not self._is_disjoint(form, excluded):
                owner = excluded if isinstance(excluded, dict) else None
                yield Fault("not", None, excluded, owner, form=form, is_cut=self._memo.is_cut)

    def _is_evidently_apart(self, small: Node, form: Form, excluded: Node) -> bool:
        """True if no sent object of `form`, one of `small`, satisfies `excluded`, as names and texts show.

        A property that no alternative of `small` declares, and that is allowed only because `form` is open, is taken
        not to be sent.
        """
        if form.kind != "object":
            return False
        self._held.append(excluded)
        try:
            others = [other for other in self.forms(excluded) if other.kind == "object"]
            declared = self._declared(small)
        except TooMuchError:
            return False
        is_limited = form.is_open and not self._sending.is_undeclared_sent
        return all(
            (is_limited and not other.required <= declared) or keywords.are_distinct(form, other) for other in others
        )

    def _declared(self, node: Node) -> set[str]:
        """The names of the properties that an alternative of `node` declares or requires."""
        if node.key not in self._names:
            union = self.forms(node)
            self._spend(_weight(union, 1))
            self._names[node.key] = set[str]().union(*(form.names | form.required for form in union))
        return self._names[node.key]

    def _assumed_to_exclude(self, excluded: Node, form: Form, is_alternative: bool) -> list[Fault] | None:
        """The loops that must hold for `form` to exclude all values of `excluded`; None if it may accept some.

        Unless `excluded` is another alternative, its values may have undeclared properties: `not` is about all values.
        """
        own = [Node((schema,)) for schema in form.excluded]
        if any(self._is_same(excluded, schema) for schema in own):
            return []
        for schema in own:
            faults = self._faults(excluded, schema) if is_alternative else self._strictly(excluded, schema)
            if not any(fault.is_break for fault in faults):
                return [fault for fault in faults if fault.keyword == LOOP]
        return None

    def _strictly(self, small: Node, big: Node) -> list[Fault]:
        return self._faults(small, big) if self.strict is self else self.strict._alone(small, big)

    def _is_disjoint(self, form: Form, schema: Schema) -> bool:
        node = Node((*form.node.schemas, schema))
        self._held.append(node)
        return self._accepts_nothing(node, NESTED) or self._validators.is_unsatisfiable(node)

    def _accepts_nothing(self, node: Node, levels: int) -> bool:
        """True if no value satisfies `node`, as far as `levels` of required properties show."""
        try:
            return all(self._is_empty(form, levels) for form in self.forms(node))
        except TooMuchError:
            return False

    def _is_empty(self, form: Form, levels: int = 0) -> bool:
        """True if `form` has no value, as far as is easily seen."""
        if form.is_evidently_empty():
            return True
        if form.listed is not None and _is_short(form.listed):
            values = [value for value in self.spellings(form) if form.may_be(value)]
            return all(self._validators.accepts(form.node, value) is False for value in values)
        required = form.required if levels and form.kind == "object" else ()
        likely = sorted(required, key=lambda name: (name not in form.choices, len(form.choices.get(name, ())), name))
        return any(self._accepts_nothing(form.property(name), levels - 1) for name in likely)

    def _properties(self, pair: Pair, form: Form, candidate: Form) -> Iterator[Fault]:
        # A property that is allowed only because the schema is open, and not required, is taken not to be sent. But an
        # alternative without properties stands for all that the others declare.
        sent = (form.names or self._declared(pair.small)) | form.required
        for name in sorted(candidate.names, key=lambda name: (name not in candidate.choices, name)):
            if name in sent or not form.is_open or self._sending.is_undeclared_sent:
                faults = self._faults(form.property(name), candidate.property(name))
                if self.is_unsent(form, name):
                    faults = [fault for fault in faults if fault.keyword == self._sending.unsent and not fault.path]
                elif (
                    name in form.names
                    and False in candidate.property(name).schemas
                    and any(fault.is_break for fault in faults)
                ):
                    yield Fault("properties", name, None, candidate.owner("properties"), form=form)
                    continue
                yield from self._lifted(pair, form, name, faults)
        for name in sorted(form.names - candidate.names):
            if not self.is_unsent(form, name):
                yield from self._undeclared(pair, form, candidate, name)
        others = self._faults(form.others, candidate.others)
        if any(fault.is_break for fault in others) and candidate.is_closed:
            closing = next(schema for schema in candidate.schemas if schema.get("additionalProperties") is False)
            yield Fault("additionalProperties", True, False, closing, form=form)
        else:
            yield from self._lifted(pair, form, OTHER, others)

    def _undeclared(self, pair: Pair, form: Form, candidate: Form, name: str) -> Iterator[Fault]:
        """The faults of a property that `form` declares and `candidate` does not."""
        faults = [] if candidate.is_open else self._faults(form.property(name), candidate.others)
        is_break = any(fault.is_break for fault in faults)
        owner = next((inner for inner in form.property(name).schemas if isinstance(inner, dict)), None)
        if is_break and not candidate.is_closed:
            yield from self._lifted(pair, form, name, faults)
        elif False not in form.property(name).schemas:
            yield Fault("properties", name, None, owner, is_break, form=form)
            yield from self._lifted(pair, form, name, (fault for fault in faults if fault.keyword == LOOP))

    def _lifted(self, pair: Pair, form: Form, name: str, faults: Iterable[Fault]) -> Iterator[Fault]:
        """The faults of a property or item, as faults of the object or array."""
        for fault in faults:
            step = Step(pair, form, name)
            is_always_sent = name in form.required if len(fault.steps) == 1 else fault.is_always_sent
            yield replace(fault, path=(name, *fault.path), steps=(*fault.steps, step), is_always_sent=is_always_sent)

    def _is_taken_as_text(self, node: Node, form: Form) -> bool:
        """True if `node` accepts all values of `form`, although of another type, because both are sent as one text."""
        if form.kind in ("number", "boolean"):
            return any(keywords.takes(other, keywords.TEXT) for other in self.forms(node))
        return keywords.is_whole_number(form) and any(
            keywords.takes(other, keywords.INTEGER) for other in self.forms(node)
        )


def _without_breaks(own: list[Fault], held: list[Fault]) -> list[Fault]:
    """`own` as mere differences, with the loops of the alternative that accepts the values, with the marks `held`.

    There are none if that alternative differs in no mark.
    """
    loops = [fault for fault in held if fault.keyword == LOOP]
    if len(loops) == len(held):
        return loops
    sure = (fault for fault in own if fault.keyword not in (LOOP, UNDECIDED) and not fault.is_cut)
    return [*(replace(fault, is_break=False) for fault in sure), *loops]


def _is_short(listed: list[Any]) -> bool:
    """True if few enough values are listed to compare each with every value of another list."""
    return sum(isinstance(value, dict | list) for value in listed) <= MOST_LISTED


def _weight(looked_up: list[Form], times: int) -> int:
    """The cost of `times` lookups in each schema of the forms."""
    return sum(len(form.schemas) for form in looked_up) * times // LOOKED_UP


def _marked(union: list[Form], mark: str) -> Any:
    """The value of `mark` that the forms share, or else all its values; of defaults, which may be null, a list."""
    values = [form.all_of(mark) for form in union]
    shared = values[0] if values and all(value == values[0] for value in values) else values
    if mark == "default":
        return shared
    return shared[0] if len(shared) == 1 else (shared or None)


def _uncompared(schema: dict[str, Any], key: str, form: Form) -> Fault:
    """The fault that nothing is known about the keyword `key` of `schema`; it has the name of the keyword as values."""
    name = (key == "$dynamicRef" and keyword_of(schema[key])) or key
    return Fault(UNDECIDED, name, name, schema, form=form)


def _reference(node: Node) -> str | None:
    """The reference that is all of `node`; None if it is anything else."""
    schema = node.schemas[0] if len(node.schemas) == 1 else None
    return schema["$ref"] if isinstance(schema, dict) and schema.keys() == {"$ref"} else None


def _without_true(node: Node) -> Node:
    """`node` without schemas that accept everything, such as those of undeclared properties."""
    if True not in node.schemas:
        return node
    return Node(tuple(schema for schema in node.schemas if schema is not True) or (True,))


def _kinds(union: list[Form]) -> list[str]:
    return sorted({form.type for form in union})
