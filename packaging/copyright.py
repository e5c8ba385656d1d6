"""Prints the copyright file of the package: the license of the program, then for each crate inside of the binary what its authors
ask to be passed on. Reads `cargo metadata` and the crates' own files; fails for a crate that says nothing.

Not for: whether a license may be used (deny.toml says so, and `cargo deny` checks it).
"""

import hashlib
import json
import pathlib
import re
import subprocess
import sys

# Of a choice the first that is offered; the texts that Debian has are named, the others printed.
PREFERRED = ["MIT", "ISC", "BSD-2-Clause", "BSD-3-Clause", "Zlib", "Unicode-3.0", "Apache-2.0"]
ON_EVERY_DEBIAN = {"Apache-2.0": "/usr/share/common-licenses/Apache-2.0"}
NAMES = ["license", "licence", "copying", "copyright", "notice", "unlicense"]


def metadata(target):
    """All packages of the build for the target."""
    command = ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", target]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def linked(found):
    """The packages that end up in the binary: what the program depends on, without what only builds or tests need."""
    nodes = {node["id"]: node for node in found["resolve"]["nodes"]}
    packages = {package["id"]: package for package in found["packages"]}
    (root,) = [package["id"] for package in found["packages"] if package["name"] == "shopbell"]
    seen, waiting = set(), [root]
    while waiting:
        this = waiting.pop()
        if this in seen:
            continue
        seen.add(this)
        for dependency in nodes[this]["deps"]:
            if any(kind["kind"] is None for kind in dependency["dep_kinds"]) and not is_macro(packages[dependency["pkg"]]):
                waiting.append(dependency["pkg"])
    seen.remove(root)
    return sorted((packages[one] for one in seen), key=lambda package: (package["name"], package["version"]))


def is_macro(package):
    """A procedural macro runs in the compiler; what it leaves behind is the code of its users."""
    return any("proc-macro" in target["kind"] for target in package["targets"])


def texts(package):
    """The license files in a crate by name."""
    folder = pathlib.Path(package["manifest_path"]).parent
    files = [file for file in sorted(folder.iterdir()) if file.is_file() and any(file.name.lower().startswith(name) for name in NAMES)]
    if package.get("license_file"):
        files.append(folder / package["license_file"])
    return {file.name: file.read_text("utf-8", "replace").strip() for file in files}


def is_apache(text):
    """The whole of the Apache license, which Debian has."""
    return "Apache License" in text and "TERMS AND CONDITIONS FOR USE" in text


def chosen(package):
    """What to pass on of a crate: its license in one word or expression, and the texts."""
    expression = (package.get("license") or "").replace("/", " OR ")
    files = texts(package)
    # Only a choice between whole licenses can be taken; of anything with an "AND" all is passed on.
    offered = [expression] if " AND " in expression else re.split(r"\s+OR\s+", expression.strip("()"))
    license = next((one for one in PREFERRED if one in offered), expression)
    word = license.split("-")[0].lower()
    # An expression that is no choice needs all of its texts.
    wanted = {name: text for name, text in files.items() if license in PREFERRED and word in name.lower()} or dict(files)
    # Notices are to be passed on whatever the choice is.
    wanted.update({name: text for name, text in files.items() if name.lower().startswith(("notice", "copyright"))})
    if not expression and not files:
        sys.exit(f"{package['name']} {package['version']} has no license")
    return license or "see below", list(wanted.values())


def main():
    target = sys.argv[1]
    own = pathlib.Path("LICENSE").read_text("utf-8").strip()
    print("Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/")
    print("Upstream-Name: shopbell")
    print("Comment: The binary holds the crates that are listed below, each under its own license.\n")
    print("Files: *")
    print("Copyright:", re.search(r"Copyright \(c\) (.*)", own)[1])
    print("License: MIT")
    print(indented(own.split("\n", 2)[2]))
    numbers, printed = {}, []
    packages = [(package, *chosen(package)) for package in linked(metadata(target))]
    # Crates of one repository have one license file, and not each of them takes it along.
    shared = {(package.get("repository"), license): files for package, license, files in packages if files}
    for package, license, files in packages:
        files = files or shared.get((package.get("repository"), license), [])
        authors = copyrights(files) or ", ".join(package["authors"]) or f"the authors of {package['name']}"
        references = []
        for text in files:
            if is_apache(text):
                reference = ON_EVERY_DEBIAN["Apache-2.0"]
            else:
                digest = hashlib.sha256(re.sub(r"\s+", " ", text).encode()).digest()
                if digest not in numbers:
                    numbers[digest] = len(numbers) + 1
                    printed.append(text)
                reference = f"text {numbers[digest]}"
            references += [reference] if reference not in references else []
        # Some name a license that every Debian has, and take no text of it along.
        references = references or [ON_EVERY_DEBIAN[one] for one in [license] if one in ON_EVERY_DEBIAN]
        print(f"\nFiles: {package['name']}-{package['version']}/*")
        print("Copyright:", authors)
        print("License:", license)
        if not references and license != "MIT":
            sys.exit(f"{package['name']} {package['version']} has no text of its license")
        print(f" {', '.join(references) or 'the text of MIT above'}")
        if package.get("repository"):
            print(f"Comment: {package['repository']}")
    for number, text in enumerate(printed, 1):
        print(f"\nLicense: text-{number}\n{indented(text)}")


def copyrights(files):
    """The lines in which holders name themselves."""
    lines = [line.strip(" *#/") for text in files if not is_apache(text) for line in text.splitlines()]
    holders = [line for line in lines if re.match(r"(?i)(copyright\b|\(c\)|©).*\d{4}|copyright (\(c\)|©)", line)]
    return "\n ".join(dict.fromkeys(re.sub(r"(?i)^copyright\s*(\(c\)|©)?\s*", "", line) for line in holders))


def indented(text):
    """A field of several lines, as the format has it."""
    return "\n".join(f" {line.rstrip()}" if line.strip() else " ." for line in text.strip().splitlines())


main()
