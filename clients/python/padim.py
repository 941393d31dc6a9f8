"""A client of PaDiM.Service in one file. It needs Python 3.9 or later and nothing else.

    from padim import Padim

    client = Padim("http://localhost:8080")               # or Padim(address, key="...")
    client.put_category("flange")
    for result in client.upload("flange", Path("parts/train/good").iterdir()):
        print(result.get("error") or result["id"])
    client.fit("flange", progress=lambda job: print(job["stage"], job["progress"]))
    score = client.score("flange", "parts/test/scratch/002.png")
    print(score["decision"], score["score"], score["threshold"])
    Path("heatmap.png").write_bytes(client.heatmap("flange", "parts/test/scratch/002.png"))

Images are paths or bytes. Answers are the JSON of the service, as dictionaries; its OpenAPI document, at /swagger,
describes them. What has no method of its own is one call of request(). Every failure is a PadimError, whose `code` is
stable. The service asks clients to come back later when it is busy; the client does so, a few times.

From the command line: python3 padim.py ADDRESS CATEGORY PHOTOGRAPH... scores photographs. The environment variable
PADIM_KEY holds the key, if the service wants one.
"""

from __future__ import annotations

import http.client
import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple, Union

__version__ = "1.0.0"

Image = Union[str, "os.PathLike[str]", bytes, bytearray, memoryview]
Json = Dict[str, Any]

_FILES_PER_REQUEST = 32
_FINAL = ("succeeded", "failed", "cancelled")


class PadimError(Exception):
    """A request that failed.

    code: stable code of the problem, such as "category_not_found"; "unreachable" if there is no answer, and
        "unexpected_answer" if it is not the service's.
    status: status of the answer, or None.
    detail: what is wrong, and what to do.
    errors: the refused files of an upload without a valid one.
    retry_after: seconds after which the service asks for the next try, or None.
    """

    def __init__(
        self,
        code: str,
        status: Optional[int],
        detail: str,
        errors: Optional[List[Json]] = None,
        retry_after: Optional[float] = None,
    ) -> None:
        super().__init__(f"{detail} ({code})" if status is None else f"{detail} ({status} {code})")
        self.code = code
        self.status = status
        self.detail = detail
        self.errors = errors or []
        self.retry_after = retry_after


class _Answer(NamedTuple):
    status: int
    headers: Any
    content: bytes
    stream: Any


class Padim:
    """A client. It keeps no connection open, and may be used by many threads."""

    def __init__(
        self,
        address: str = "http://localhost:8080",
        key: Optional[str] = None,
        timeout: float = 100.0,
        retries: int = 3,
        longest_wait: float = 30.0,
    ) -> None:
        """Creates a client.

        address: of the service; a path is kept, for a service behind a proxy.
        key: sent as a bearer token.
        timeout: seconds that the network may be silent.
        retries: how often a request is sent again.
        longest_wait: seconds; a Retry-After beyond it is an error at once.
        """
        self._address = address.rstrip("/")
        self._key = key
        self._timeout = timeout
        self._retries = retries
        self._longest_wait = longest_wait

    # Categories and images

    def put_category(self, category: str, **settings: Any) -> Json:
        """Creates a category, or replaces its settings, such as imageSize=512."""
        return self.request("PUT", _path("categories", category), body=settings)

    def get_category(self, category: str) -> Json:
        """Gets a category."""
        return self.request("GET", _path("categories", category))

    def delete_category(self, category: str) -> None:
        """Deletes a category with its images and models."""
        self.request("DELETE", _path("categories", category))

    def list(self, path: str, **query: Any) -> Iterator[Json]:
        """Goes through a list page by page: list("/categories"), list("/inspections", decision="anomalous")."""
        while True:
            page = self.request("GET", path, query=query)
            yield from page["items"]
            if not page["nextCursor"]:
                return
            query["cursor"] = page["nextCursor"]

    def upload(
        self,
        category: str,
        images: Iterable[Image],
        label: Optional[str] = None,
        defect: Optional[str] = None,
        held_out: bool = False,
        progress: Optional[Callable[[int], None]] = None,
    ) -> Iterator[Json]:
        """Uploads images, 32 a request, and yields what became of each.

        A stored image has "fileName" and "id"; a refused one has "fileName" and "error", a dictionary with "code" and
        "detail". Take all results, or later requests are not sent. Images that are stored already are recognised, so
        an upload that was broken off can be repeated.

        label: "normal" for good parts (the default), or "anomalous" with the kind of defect.
        progress: told the number of files that the service has answered for.
        """
        done = 0
        query = {"label": label, "defect": defect, "heldOut": "true" if held_out else None}
        for chunk in _chunks(images, _FILES_PER_REQUEST):
            data, media_type = _form([("files", *_open(image)) for image in chunk])
            path = _path("categories", category, "images")
            try:
                answer = self.request("POST", path, query=query, data=data, media_type=media_type, repeatable=True)
            except PadimError as problem:
                if not problem.errors:
                    raise
                answer = {"accepted": [], "rejected": problem.errors}
            done += len(chunk)
            if progress:
                progress(done)
            yield from answer["accepted"]
            for file in answer["rejected"]:
                yield {"fileName": file["fileName"], "error": {"code": file["code"], "detail": file["detail"]}}

    # Fits and jobs

    def fit(self, category: str, progress: Optional[Callable[[Json], None]] = None, **request: Any) -> Json:
        """Fits a model, waits for it, and returns it. `request` may hold activate, shadow and incremental."""
        job = self.start(_path("categories", category, "fits"), **request)
        job = self.wait(job["id"], progress)
        return self.request("GET", _path("categories", category, "models", str(job["modelVersion"])))

    def start(self, path: str, **request: Any) -> Json:
        """Starts a job: start("/categories/flange/evaluations"). A retry does not start a second one."""
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        return self.request("POST", path, body=request, headers=headers, repeatable=True)

    def wait(self, job: str, progress: Optional[Callable[[Json], None]] = None) -> Json:
        """Waits until a job has succeeded. If it fails, the error has the job's code."""
        for state in self.follow(job):
            if progress:
                progress(state)
        if state["state"] == "succeeded":
            return state
        error = state["error"] or {"code": "job_cancelled", "detail": f"The job {job} was cancelled."}
        raise PadimError(error["code"], None, error["detail"])

    def follow(self, job: str) -> Iterator[Json]:
        """Follows a job: yields it every time that it changes, until it is final. Lost connections are opened again."""
        last, last_id, failures = "", "", 0
        while True:
            headers = {"Accept": "text/event-stream"}
            if last_id:
                headers["Last-Event-ID"] = last_id
            try:
                path = _path("jobs", job, "events")
                with self._send("GET", path, headers=headers, repeatable=True, stream=True).stream as lines:
                    for event, data, last_id in _events(lines, last_id):
                        if event != "job" or data == last:
                            continue
                        last, failures = data, 0
                        state = json.loads(data)
                        yield state
                        if state["state"] in _FINAL:
                            return
            except (OSError, http.client.HTTPException):
                pass
            except PadimError as problem:
                if problem.status not in (None, 429, 502, 503, 504):
                    raise
            failures += 1
            if failures > 20:
                raise PadimError("unreachable", None, "The events of the job end before the job does.")
            time.sleep(min(2.0 ** (failures - 1), 15.0))

    # Scores

    def score(self, category: str, image: Image, deadline: Optional[float] = None, **options: Any) -> Json:
        """Scores one image.

        deadline: seconds after which the score is of no use; the service then gives the image up.
        options: part, station, lot and inspection (names of yours), and model, heatmap, contours, width, height, format
            (for raw pixels) and significantBits, as in the API.
        """
        return json.loads(self._score(category, image, None, deadline, options))

    def heatmap(
        self, category: str, image: Image, accept: str = "image/png", deadline: Optional[float] = None, **options: Any
    ) -> bytes:
        """Scores one image, and returns the heatmap over it; with heatmap="map" or "mask", that alone.

        accept: "image/png", "image/jpeg", "image/webp", or "application/x-npy" for the map as numbers.
        """
        return self._score(category, image, accept, deadline, options)

    def _score(
        self, category: str, image: Image, accept: Optional[str], deadline: Optional[float], options: Json
    ) -> bytes:
        ends = None if deadline is None else time.monotonic() + deadline
        names = {"part": "X-Part-Id", "station": "X-Station-Id", "lot": "X-Lot-Id", "inspection": "X-Inspection-Id"}
        # A retry repeats the identifier, so that an inspection is kept once.
        headers = {"X-Inspection-Id": uuid.uuid4().hex}
        for name, header in names.items():
            if options.get(name) is not None:
                headers[header] = str(options[name]).encode("ascii", "replace").decode("ascii")
        if accept:
            headers["Accept"] = accept
        query = {name: value for name, value in options.items() if name not in names}
        _, data = _open(image)
        path = _path("categories", category, "score")
        return self._send("POST", path, query, data, "application/octet-stream", headers, True, ends).content

    # Everything else

    def request(
        self,
        method: str,
        path: str,
        query: Optional[Json] = None,
        body: Any = None,
        data: Optional[bytes] = None,
        media_type: Optional[str] = None,
        headers: Optional[Dict[str, str]] = None,
        repeatable: Optional[bool] = None,
    ) -> Any:
        """Calls any operation below /v1: request("PATCH", "/categories/flange/threshold", body={...}).

        body: sent as JSON; or data with media_type. Returns the JSON of the answer, bytes if it is none, or None.
        repeatable: whether a request whose answer is lost may be sent again; by default all but POST.
        """
        if body is not None:
            data, media_type = json.dumps(body).encode(), "application/json"
        repeatable = method != "POST" if repeatable is None else repeatable
        answer = self._send(method, path, query, data, media_type, headers, repeatable)
        if not answer.content:
            return None
        if answer.headers.get_content_type() == "text/html":
            raise _unexpected(answer.status, answer.headers)
        if answer.headers.get_content_type() != "application/json":
            return answer.content
        try:
            return json.loads(answer.content)
        except ValueError:
            raise _unexpected(answer.status, answer.headers) from None

    def _send(
        self,
        method: str,
        path: str,
        query: Optional[Json] = None,
        data: Optional[bytes] = None,
        media_type: Optional[str] = None,
        headers: Optional[Dict[str, str]] = None,
        repeatable: bool = False,
        ends: Optional[float] = None,
        stream: bool = False,
    ) -> _Answer:
        """Sends a request, again if that can help, and returns an answer that has succeeded: read, or to be read."""
        given = {name: _text(value) for name, value in (query or {}).items() if value is not None}
        url = f"{self._address}/v1{path}" + ("?" + urllib.parse.urlencode(given) if given else "")
        sent = {"User-Agent": "padim.py", **(headers or {})}
        if self._key:
            sent["Authorization"] = f"Bearer {self._key}"
        if media_type:
            sent["Content-Type"] = media_type
        tries = 0
        while True:
            left = self._timeout
            if ends is not None:
                left = ends - time.monotonic()
                if left < 0.001:
                    raise PadimError("deadline_passed", None, "The deadline passed without a score.")
                sent["X-Deadline-Ms"] = str(min(int(left * 1000), 86_400_000))
            try:
                request = urllib.request.Request(url, data, sent, method=method)
                answer = urllib.request.urlopen(request, timeout=min(left, self._timeout))
                if stream:
                    return _Answer(answer.status, answer.headers, b"", answer)
                with answer:
                    return _Answer(answer.status, answer.headers, answer.read(), None)
            except urllib.error.HTTPError as refusal:
                with refusal:
                    problem = _problem(refusal)
                wait = problem.retry_after
                # Refused before it was begun, or only a proxy's word: the service may not have seen it.
                again = wait is not None and problem.status in (429, 503)
                again = again or (
                    repeatable and problem.code == "unexpected_answer" and problem.status in (502, 503, 504)
                )
            except (OSError, http.client.HTTPException) as fault:
                if ends is not None and time.monotonic() >= ends:
                    raise PadimError("deadline_passed", None, "The deadline passed without a score.") from fault
                problem = PadimError("unreachable", None, f"The service cannot be reached: {fault}")
                wait, again = None, repeatable
            tries += 1
            pause = 0.2 * 2**tries if wait is None else wait
            if not again or tries > self._retries or pause > self._longest_wait:
                raise problem
            if ends is not None and time.monotonic() + pause >= ends:
                raise problem
            time.sleep(pause)


def _path(*segments: str) -> str:
    for segment in segments:
        if not segment.strip("."):
            raise ValueError(f"{segment!r} is not a name.")
    return "".join("/" + urllib.parse.quote(segment, safe="") for segment in segments)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _open(image: Image) -> Tuple[str, bytes]:
    """Reads an image. Returns its name and its bytes."""
    if isinstance(image, (bytes, bytearray, memoryview)):
        return "image", bytes(image)
    path = Path(image)
    return path.name, path.read_bytes()


def _form(parts: Iterable[Tuple[str, str, bytes]]) -> Tuple[bytes, str]:
    """Writes a form of files. Returns its bytes and its media type."""
    boundary = uuid.uuid4().hex
    body = bytearray()
    for field, name, content in parts:
        quoted = name.replace("\\", "_").replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"; filename="{quoted}"\r\n'
        body += (head + "Content-Type: application/octet-stream\r\n\r\n").encode() + content + b"\r\n"
    body += f"--{boundary}--\r\n".encode()
    return bytes(body), f"multipart/form-data; boundary={boundary}"


def _chunks(items: Iterable[Image], size: int) -> Iterator[List[Image]]:
    chunk: List[Image] = []
    for item in items:
        chunk.append(item)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _events(answer: Iterable[bytes], last_id: str) -> Iterator[Tuple[str, str, str]]:
    """Reads server-sent events: name, data, and the identifier to continue behind."""
    event, data = "message", []
    for line in answer:
        name, _, value = line.decode("utf-8").rstrip("\r\n").partition(":")
        value = value[1:] if value.startswith(" ") else value
        if name == "" and value == "" and line.strip() == b"":
            if data:
                yield event, "\n".join(data), last_id
            event, data = "message", []
        elif name == "event":
            event = value
        elif name == "data":
            data.append(value)
        elif name == "id":
            last_id = value


def _problem(answer: urllib.error.HTTPError) -> PadimError:
    """Reads the problem (RFC 9457) of an answer that has failed."""
    try:
        problem = json.loads(answer.read(1 << 20))
        code, detail = problem["code"], problem.get("detail") or problem["code"]
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError, AttributeError):
        return _unexpected(answer.code, answer.headers)
    errors = problem.get("errors")
    errors = [error for error in errors if "fileName" in error] if isinstance(errors, list) else []
    return PadimError(str(code), answer.code, str(detail), errors, _retry_after(answer.headers))


def _unexpected(status: int, headers: Any) -> PadimError:
    detail = f"The answer is not the service's, but a proxy's or another program's: {headers.get_content_type()}."
    return PadimError("unexpected_answer", status, detail, None, _retry_after(headers))


def _retry_after(headers: Any) -> Optional[float]:
    value = headers.get("Retry-After", "")
    return float(value) if value.isdigit() else None


def main(arguments: List[str]) -> int:
    """Scores photographs, and prints a line for each."""
    if len(arguments) < 3:
        print("Usage: padim.py ADDRESS CATEGORY PHOTOGRAPH...", file=sys.stderr)
        return 2
    client = Padim(arguments[0], os.environ.get("PADIM_KEY"))
    failed = False
    for photograph in arguments[2:]:
        try:
            score = client.score(arguments[1], photograph)
            print(f"{photograph} {score['decision']} {score['score']:.3f} of {score['threshold']:.3f}")
        except (PadimError, OSError) as problem:
            failed = True
            print(f"{photograph}: {problem}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
