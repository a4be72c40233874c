"""Problems of requests for pages, in words for people, with links to where they go on."""

from collections.abc import Mapping

from openapi.problems import Headers, Problem


class PageProblem(Problem):
    """A Problem with the title and the help of its page; `links` are words by their paths.

    Clients that get no page get the Problem.
    """

    def __init__(self, code: str, title: str, help_: str, links: Mapping[str, str] | None = None) -> None:
        super().__init__(code)
        self.title = title
        self.page_help = help_
        self.links = dict(links or {})


class PageRefusal(PageProblem):
    """A refusal that pages alone have: no program gets it, so that the table of problems has no row for `code`."""

    def __init__(  # noqa: PLR0913, PLR0917 (what a response consists of)
        self,
        status: int,
        code: str,
        title: str,
        help_: str,
        links: Mapping[str, str] | None = None,
        headers: Headers = (),
    ) -> None:
        Exception.__init__(self, code)
        self.status, self.code, self.headers = status, code, list(headers)
        self.title, self.page_help, self.links = title, help_, dict(links or {})
        self.reason, self.pointer, self.faults = None, None, ()
        self.error, self.help = title, help_
