"""The README's ways to run fsseg by itself are what cron, systemd and GitHub Actions take, and what fsseg takes."""

from __future__ import annotations

import re
import shlex
from configparser import ConfigParser
from typing import Any

import yaml

from fsseg.settings import load
from tests.test_readme import blocks, command_of, run_lines

CRON_FIELDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


def parsed(line: str) -> dict[str, Any]:
    """The values of a command line after `fsseg`, as its command takes them."""
    command, words = command_of(shlex.split(line))
    parameters: dict[str, Any] = command.make_context(command.name, list(words)).params
    return parameters


def is_cron_time(fields: list[str]) -> bool:
    return len(fields) == 5 and all(
        field == "*" or (field.isdigit() and low <= int(field) <= high)
        for field, (low, high) in zip(fields, CRON_FIELDS, strict=True)
    )


def fsseg_lines(text: str) -> list[str]:
    return [found.strip() for found in re.findall(r"\bfsseg ((?:import|resume|runs) [^;&}\n]*)", text)]


def test_the_crontab_has_times_settings_and_commands_that_are_taken() -> None:
    (crontab,) = blocks("crontab")
    lines = crontab.splitlines()
    settings = dict(line.split("=", 1) for line in lines if re.match(r"[A-Z_]+=", line))
    assert settings.keys() >= {"MAILTO", "FSSEG_DOMAIN", "FSSEG_STATE_DIR"}
    jobs = [line.split(maxsplit=5) for line in lines if not re.match(r"[A-Z_]+=", line)]
    assert jobs and all(is_cron_time(job[:5]) for job in jobs)
    for *_, command in jobs:
        assert "%" not in command  # cron ends the line there
        assert command.startswith("cd /srv/fsseg && ")
        assert fsseg_lines(command)
        assert command.count("bin/fsseg ") == len(fsseg_lines(command))
        for line in fsseg_lines(command):
            assert parsed(line)
            assert "--quiet" in line  # whatever is said is mailed


def test_the_units_of_systemd_are_whole() -> None:
    service, timer = map(unit, blocks("ini"))
    assert service["Service"]["Type"] == "oneshot"
    assert service["Service"]["WorkingDirectory"] == "/srv/fsseg"
    assert "%" not in service["Service"]["ExecStart"]  # systemd would put something else there
    (line,) = fsseg_lines(service["Service"]["ExecStart"])
    assert parsed(line)["since"] == "3d"
    assert service["Service"]["ExecStartPre"].startswith("-/srv/fsseg/.venv/bin/fsseg ")  # its end is no matter
    (before,) = fsseg_lines(service["Service"]["ExecStartPre"])
    assert parsed(before)["older_than"]
    assert re.fullmatch(r"\*:\d\d", timer["Timer"]["OnCalendar"])
    assert timer["Install"]["WantedBy"] == "timers.target"


def unit(text: str) -> ConfigParser:
    parser = ConfigParser(interpolation=None, strict=True)
    parser.optionxform = str  # type: ignore[assignment, method-assign]  # names keep their case
    parser.read_string(text)
    return parser


def test_the_workflow_keeps_the_ledger_and_runs_one_at_a_time() -> None:
    (text,) = blocks("yaml")
    workflow = yaml.safe_load(text)
    (schedule,) = workflow[True]["schedule"]  # YAML takes "on" for a truth
    assert is_cron_time(schedule["cron"].split())
    assert workflow["concurrency"]
    (job,) = workflow["jobs"].values()
    steps = job["steps"]
    (restored,) = (step for step in steps if step.get("uses", "").startswith("actions/cache/restore@"))
    (kept,) = (step for step in steps if step.get("uses", "").startswith("actions/cache/save@"))
    lines = [(step, line) for step in steps for line in fsseg_lines(step.get("run", ""))]
    assert [parsed(line).get("paths") for _, line in lines] == [["s3://acme-archive/segment-logs/9sJr2mKqZs/"], None]
    assert job["env"]["FSSEG_STATE_DIR"] == restored["with"]["path"] == kept["with"]["path"]
    assert kept["with"]["key"].startswith(restored["with"]["restore-keys"])
    assert {"github.run_id", "github.run_attempt"} <= set(re.findall(r"\{\{ (\S+) \}\}", kept["with"]["key"]))
    after = steps[steps.index(lines[0][0]) + 1 :]
    assert after[-1] is kept
    assert all(step["if"] == "always()" for step in after)  # a run that some events failed in ends with 1


def test_what_they_set_are_settings() -> None:
    shown = "\n".join([*blocks("crontab"), *blocks("ini"), *blocks("yaml")])
    assert set(re.findall(r"\bFSSEG_\w+", shown)) <= {"FSSEG_DOMAIN", "FSSEG_STATE_DIR", "FSSEG_API_TOKEN"}
    assert load({"limits": {"reserve": "0.2", "max_time": "50m"}}).limits.reserve == 0.2
    assert run_lines()
