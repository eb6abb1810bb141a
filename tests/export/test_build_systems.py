"""The firmware folder as a module of Zephyr and as a library of Arduino, as far as that can be had here."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

STANDINS = Path(__file__).parent / "standins"
CORTEX_M4 = ["-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"]

cross = pytest.mark.skipif(
    not (shutil.which("cmake") and shutil.which("arm-none-eabi-g++")),
    reason="needs Debian's cmake, gcc-arm-none-eabi and libstdc++-arm-none-eabi-newlib",
)

# What Zephyr's own CMake functions do to a library, as far as the module calls them.
ZEPHYR = f"""cmake_minimum_required(VERSION 3.16)
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
project(application LANGUAGES C CXX)
add_library(zephyr_interface INTERFACE)
target_include_directories(zephyr_interface INTERFACE {STANDINS})
function(zephyr_library_named name)
  set(ZEPHYR_CURRENT_LIBRARY ${{name}} PARENT_SCOPE)
  add_library(${{name}} STATIC)
  target_link_libraries(${{name}} PUBLIC zephyr_interface)
endfunction()
function(zephyr_library_sources)
  target_sources(${{ZEPHYR_CURRENT_LIBRARY}} PRIVATE ${{ARGN}})
endfunction()
function(zephyr_library_compile_definitions)
  target_compile_definitions(${{ZEPHYR_CURRENT_LIBRARY}} PRIVATE ${{ARGN}})
endfunction()
function(zephyr_include_directories)
  target_include_directories(zephyr_interface INTERFACE ${{ARGN}})
endfunction()
add_subdirectory(${{MODULE}} module)
"""


@pytest.fixture(params=["int8", "int16x8"])
def folder(request, exported_picker, tmp_path):
    return shutil.copytree(exported_picker[0] / f"firmware_{request.param}", tmp_path / "firmware")


def symbols(listing):
    return set(re.findall(r" [TDR] (\w+)$", listing, re.MULTILINE))


@cross
@pytest.mark.parametrize("stock", [False, True])
def test_zephyr_builds_the_module(folder, tmp_path, stock):
    module = yaml.safe_load((folder / "zephyr" / "module.yml").read_text())
    assert module == {"name": "usmae", "build": {"cmake": "zephyr", "kconfig": "zephyr/Kconfig"}}
    (tmp_path / "application").mkdir()
    (tmp_path / "application" / "CMakeLists.txt").write_text(ZEPHYR)
    flags = " ".join(CORTEX_M4)
    options = {
        "CMAKE_C_COMPILER": "arm-none-eabi-gcc",
        "CMAKE_CXX_COMPILER": "arm-none-eabi-g++",
        "CMAKE_C_FLAGS": f"-std=c11 -Wall -Wextra -Werror {flags}",
        "CMAKE_CXX_FLAGS": f"-std=c++17 -Wall -Wextra -Werror -fno-exceptions -fno-rtti {flags}",
        "MODULE": str(folder / module["build"]["cmake"]),
        "CONFIG_USMAE": "y",
        "CONFIG_USMAE_ARENA_BYTES": "65536",
        "CONFIG_USMAE_STOCK_KERNELS": "y" if stock else "n",
    }
    build = tmp_path / "build"
    command = ["cmake", "-S", tmp_path / "application", "-B", build, *(f"-D{k}={v}" for k, v in options.items())]
    for each in (command, ["cmake", "--build", build, "-j2"]):
        done = subprocess.run(list(map(str, each)), capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    (library,) = build.rglob("libusmae.a")
    listing = subprocess.run(["arm-none-eabi-nm", library], check=True, capture_output=True, text=True).stdout
    assert {"usmae_setup", "usmae_pick", "usmae_push", "g_usmae_model_size"} <= symbols(listing)
    tables = "RegisterUsmaeSoftmax" in " ".join(re.findall(r" U (\w+)$", listing, re.MULTILINE))
    assert tables == (not stock and (folder / "src" / "kernels.cc").exists())
    sizes = subprocess.run(["arm-none-eabi-size", "-t", library], check=True, capture_output=True, text=True).stdout
    assert 65536 <= int(sizes.splitlines()[-1].split()[2]) < 65536 + 256  # .bss: the arena, and the interpreter's


def test_the_options_of_zephyr_are_those_that_its_cmake_reads(folder):
    kconfig = (folder / "zephyr" / "Kconfig").read_text()
    read = set(re.findall(r"CONFIG_(\w+)", (folder / "zephyr" / "CMakeLists.txt").read_text()))
    assert set(re.findall(r"^config (\w+)$", kconfig, re.MULTILINE)) == read
    arena = int(re.search(r"default (\d+)", kconfig).group(1))
    assert f"#define USMAE_ARENA_BYTES {arena}" in (folder / "src" / "config.h").read_text()


def test_arduino_finds_a_library_by_its_rules(folder):
    """Those of the library specification, revision 2.2."""
    lines = (folder / "library.properties").read_text().splitlines()
    properties = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    required = {"name", "version", "author", "maintainer", "sentence", "paragraph", "category", "url", "architectures"}
    assert required <= properties.keys()
    assert re.fullmatch(r"[A-Za-z0-9][\w .-]{0,62}", properties["name"])
    assert re.fullmatch(r"\d+\.\d+\.\d+(-[\w.]+)?(\+[\w.]+)?", properties["version"])
    assert properties["category"] == "Data Processing"  # one of a fixed list
    assert (folder / "src" / properties["includes"]).is_file()
    assert not {path.suffix for path in folder.glob("*.*")} & {".c", ".cc", ".cpp", ".h", ".ino"}  # a root is flat
    for sketch in folder.glob("examples/*/*.ino"):
        assert sketch.stem == sketch.parent.name


@cross
def test_the_sources_compile_as_arduino_compiles_them(folder, tmp_path):
    """Each file of `src` with its folder on the path, a sketch as C++ after Arduino.h."""
    (tmp_path / "TensorFlowLite.h").write_text("")
    (tmp_path / "Arduino.h").write_text(
        """#include <stddef.h>
#include <stdint.h>
struct Port {
  void begin(unsigned long);
  template <typename T> void print(T);
  template <typename T> void println(T);
  template <typename T> void println(T, int);
};
extern Port Serial;
unsigned long micros();
void delay(unsigned long);
"""
    )
    common = [*CORTEX_M4, "-Os", "-Wall", "-Wextra", "-Werror", f"-I{folder}/src", f"-I{STANDINS}", f"-I{tmp_path}"]
    cpp = ["arm-none-eabi-g++", "-std=gnu++14", "-fno-exceptions", "-fno-rtti", *common]
    sources = sorted(folder.glob("src/*.c*"))
    assert {"usmae.cc", "model_data.cc", "picks.c"} <= {path.name for path in sources}
    commands = [
        [*(["arm-none-eabi-gcc", "-std=gnu11", *common] if s.suffix == ".c" else cpp), "-c", s] for s in sources
    ]
    (sketch,) = folder.glob("examples/*/*.ino")
    commands.append([*cpp, "-include", "Arduino.h", "-x", "c++", "-c", sketch])
    for command in commands:
        done = subprocess.run([*map(str, command), "-o", "o.o"], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
