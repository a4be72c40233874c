"""The process that works on the documents of one request: `python -m handlers.tools.process`, with pipes."""

import sys
import traceback
from pathlib import Path

from handlers.tools import limits, messages
from handlers.tools.messages import Refused, Task
from handlers.tools.work import work


def answer(message: bytes) -> bytes:
    """The message that answers the task in `message`; MemoryError if the memory does not suffice."""
    try:
        result = work(Task.read(message))
        if len(result.content) > limits.RESULT_BYTES:
            raise Refused("documents_over_limit", limit=limits.RESULT)
        return messages.of_result(result)
    except Refused as refused:
        return messages.of_refusal(refused)
    except RecursionError:
        return messages.of_refusal(Refused("documents_over_limit", limit=limits.NESTING))
    except MemoryError:
        raise
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        return messages.of_failure(f"{type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}")


def main() -> None:
    """Answer the task on standard input on standard output; exit with OUT_OF_MEMORY if the memory does not suffice."""
    limits.limit_this_process()
    try:
        sys.stdout.buffer.write(answer(sys.stdin.buffer.read()))
    except MemoryError:
        sys.exit(limits.OUT_OF_MEMORY)


if __name__ == "__main__":
    main()
