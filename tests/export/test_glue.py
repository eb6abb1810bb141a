"""The C++ of the firmware folder, compiled on stand-ins for TFLM: no package of PyPI or Debian has TFLM's headers."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

STANDINS = Path(__file__).parent / "standins"
STRICT = ["-std=c++11", "-Wall", "-Wextra", "-Werror", "-fno-exceptions", "-fno-rtti", "-O1"]
SANITIZED = ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]


@pytest.fixture(params=["int8", "int16x8"])
def folder(request, exported_picker, tmp_path):
    return shutil.copytree(exported_picker[0] / f"firmware_{request.param}", tmp_path / "firmware")


def build(folder, main, output):
    sources = [str(path) for path in folder.glob("src/*.c")]
    for source in sources:
        command = ["gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-O1", *SANITIZED, "-c", source]
        subprocess.run(command, cwd=folder, check=True)
    glue = [str(path) for path in folder.glob("src/*.cc")]
    objects = [str(path.with_suffix(".o").name) for path in map(Path, sources)]
    command = [
        "g++",
        *STRICT,
        *SANITIZED,
        f"-I{folder}/src",
        f"-I{STANDINS}",
        *glue,
        str(main),
        *objects,
        "-lm",
        "-o",
        output,
    ]
    subprocess.run(command, cwd=folder, check=True)


def test_every_answer_of_the_set_up_and_what_it_runs(folder):
    build(folder, STANDINS / "test_glue.cc", "glue")
    for wrong in ("", "schema", "memory", "size", "scale"):
        done = subprocess.run(["./glue", wrong], cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, (wrong, done.stdout + done.stderr)


def test_files_of_two_exports_are_told_apart(folder):
    header = folder / "src" / "config.h"
    text, count = re.subn(r"(#define USMAE_MODEL_HASH) 0x\w+u", r"\1 0x12345678u", header.read_text())
    assert count == 1
    header.write_text(text)
    build(folder, STANDINS / "test_glue.cc", "glue")
    done = subprocess.run(["./glue", "model"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_example_is_a_program(folder):
    (folder / "src" / "standin.cc").write_text(
        """#include "model_data.h"
#include "tflm.h"
namespace tflite {
Standin standin;
int MicroContext::held = 0;
static Model model = {TFLITE_SCHEMA_VERSION};
const Model* GetModel(const void*) { return &model; }
}
"""
    )
    build(folder, folder / "examples" / "main" / "main.cc", "example")
    done = subprocess.run(["./example"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 1  # the stand-in has no tensors
    assert done.stdout == "set-up: 20, see usmae.h\n"


def test_an_arena_that_is_not_rounded_does_not_compile(folder):
    command = ["g++", *STRICT, "-DUSMAE_ARENA_BYTES=1001", f"-I{STANDINS}", "-c", "src/usmae.cc"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode != 0
    assert "round up to 16" in done.stderr


def test_model_and_arena_go_where_macros_say(folder):
    section = '__attribute__((section(".here")))'
    for source, macro in (("src/usmae.cc", "ARENA"), ("src/model_data.cc", "MODEL")):
        command = ["g++", *STRICT, f"-DUSMAE_{macro}_SECTION={section}", f"-I{STANDINS}", "-c", source, "-o", "o.o"]
        subprocess.run(command, cwd=folder, check=True)
        listing = subprocess.run(["objdump", "-h", "o.o"], cwd=folder, check=True, capture_output=True, text=True)
        size = int(re.search(r" \.here +([0-9a-f]+)", listing.stdout).group(1), 16)
        assert size > 20_000


def test_every_source_names_its_licence(folder):
    for path in folder.rglob("*"):
        if path.suffix in (".c", ".cc", ".h", ".ino", ".ld", ".properties", ".yml") or path.name in (
            "Makefile",
            "Kconfig",
        ):
            assert "SPDX-License-Identifier: Apache-2.0" in path.read_text().splitlines()[0], path.name


@pytest.mark.skipif(not shutil.which("cmake"), reason="needs CMake")
def test_builds_with_cmake_by_itself_and_in_a_project(folder):
    def cmake(source, *options):
        build = folder / "cmake"
        shutil.rmtree(build, ignore_errors=True)
        commands = (["cmake", "-S", source, "-B", build, *options], ["cmake", "--build", build, "-j2"])
        for command in commands:
            subprocess.run(list(map(str, command)), check=True, capture_output=True)
        return build

    build = cmake(folder)
    subprocess.run(["ctest", "--test-dir", str(build)], check=True, capture_output=True)

    project = folder / "project"
    project.mkdir()
    (project / "CMakeLists.txt").write_text(
        f"""cmake_minimum_required(VERSION 3.16)
project(theirs LANGUAGES C CXX)
add_library(tflm INTERFACE)
target_include_directories(tflm INTERFACE {STANDINS})
set(USMAE_TFLM tflm)
add_subdirectory({folder} firmware)
add_executable(glue {STANDINS / "test_glue.cc"})
target_link_libraries(glue PRIVATE usmae)
"""
    )
    done = subprocess.run([str(cmake(project) / "glue")], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
