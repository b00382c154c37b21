"""The mutated tree in ``mutants/``, which mutmut writes: the mutants in it, where they stand, and how they differ."""

import ast
import contextlib
import io
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from mutmut.__main__ import create_mutants
from mutmut.configuration import config
from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.mutation.trampoline_templates import mangle_function_name
from mutmut.utils.file_utils import copy_also_copy_files, copy_src_dir, walk_mutatable_files
from mutmut.utils.format_utils import get_mutant_name, mangled_name_from_mutant_name

from tests.mutants.results import Mutant

TREE = Path("mutants")
HUNK = re.compile(r"^@@ -(\d+)")


def write_tree() -> None:
    """Copy the project and let mutmut change what has changed since the last time."""
    TREE.mkdir(exist_ok=True)
    for copied in config().also_copy:
        if (TREE / copied).is_dir():
            shutil.rmtree(TREE / copied)  # a test that is gone from the project must not stay in the tree
    for path in [path for source in config().source_paths for path in (TREE / source).rglob("*.py")]:
        if not path.relative_to(TREE).exists():
            path.unlink()
    set_mutant_under_test("mutant_generation")
    with contextlib.redirect_stdout(io.StringIO()):
        copy_src_dir()
        copy_also_copy_files()
        create_mutants(1)


def mutants() -> Iterator[Mutant]:
    """Yield every mutant of the tree, file by file."""
    for path in sorted(walk_mutatable_files()):
        made = SourceFileMutationData(path=path)
        made.load()
        for name in made.exit_code_by_key:
            function = mangled_name_from_mutant_name(name)
            digest = made.hash_by_function_name[function.rpartition(".")[2]]
            yield Mutant(name=name, file=path.as_posix(), function=function, digest=digest)


def difference(mutant: Mutant) -> tuple[int, str]:
    """Return the line of the source where a mutant differs, and the unified diff of its function."""
    diff = str(get_diff_for_mutant(mutant.name, path=mutant.file))
    source = Path(mutant.file).read_text(encoding="utf-8")
    node = next(node for name, node in functions(mutant.file) if name == mutant.function)
    offset, words = _first_change(diff.splitlines())
    lines = source.splitlines()
    same = [at for at in range(node.lineno, (node.end_lineno or node.lineno) + 1) if lines[at - 1].strip() == words]
    return min(same, key=lambda at: abs(at - node.lineno - offset), default=node.lineno), diff


def _first_change(diff: list[str]) -> tuple[int, str]:
    """Offset in the function and words of the first line that a diff takes away."""
    offset = 0
    for line in diff[2:]:
        if begins := HUNK.match(line):
            offset = int(begins[1]) - 1
        elif line.startswith("-"):
            return offset, line[1:].strip()
        elif not line.startswith("+"):
            offset += 1
    return offset, ""


def functions(file: str) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Yield the functions and methods of a source file under the keys mutmut gives them."""
    for holder in ast.parse(Path(file).read_text(encoding="utf-8")).body:
        inside = holder.body if isinstance(holder, ast.ClassDef) else [holder]
        owner = holder.name if isinstance(holder, ast.ClassDef) else None
        for node in inside:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield str(get_mutant_name(Path(file), mangle_function_name(name=node.name, class_name=owner))), node


def without_mutants() -> tuple[list[str], int]:
    """Return the functions that have no mutants (properties, empty bodies), and how many there are at all."""
    changed = {mutant.function for mutant in mutants()}
    every = [name for path in sorted(walk_mutatable_files()) for name, _ in functions(path.as_posix())]
    return [name for name in every if name not in changed], len(every)
