"""`fsseg inspect`: what is in the files, and how it maps."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from fsseg.cli import options as o
from fsseg.cli.option_groups import command_line

if TYPE_CHECKING:
    from fsseg.cli.known_fields import Known
    from fsseg.cli.session import Output
    from fsseg.mapping.inspection import Inspection
    from fsseg.mapping.rules import Rules
    from fsseg.report.progress import Stage
    from fsseg.segment.open import Input
    from fsseg.settings import Settings


@command_line
def inspect(
    paths: o.Paths,
    offline: o.Offline = False,
    top: Annotated[int, typer.Option(help="Names and traits that are listed; 0 is all.", min=0)] = 20,
    suggest: Annotated[
        bool, typer.Option("--suggest", help="Suggest mapping lines for traits and events without a place.")
    ] = False,
    *,
    account: o.AccountOptions,
    with_: o.WithFlag = None,
    table: o.TableFlag = None,
    trait: o.TraitFlag = None,
    endpoint: o.EndpointFlag = None,
    cluster: o.ClusterFlag = None,
    display: o.DisplayOptions,
) -> None:
    """Say what is in event files and where their traits go. Reads the account's fields, if one is configured."""
    chosen = o.EventOptions(with_=with_, table=table, trait=trait, endpoint=endpoint, cluster=cluster)
    with o.command(account, display, chosen) as (settings, output):
        from fsseg.cli import known_fields
        from fsseg.cli.inspect_text import plain, print_inspection
        from fsseg.cli.run_inputs import find_inputs, refuse_on_cluster
        from fsseg.exit_codes import ExitCode

        if suggest:
            from fsseg.cli.suggest_text import print_suggestions, suggested_json
        from fsseg.report.render import print_json
        from fsseg.state.actions import EventOutcome

        refuse_on_cluster(settings, paths)
        files, unopened = find_inputs(paths, output.consoles, settings)
        known = known_for(settings, output, offline=offline)
        inspection = inspection_for(settings, known, suggest=suggest)
        with output.progress:
            unreadable = len(unopened) + read_all(inspection, settings, files, output, known)
        imported = known_fields.imported(settings, files)
        if display.json:
            told = {"suggestions": suggested_json(inspection, known)} if suggest else {}
            print_json(output.consoles.out, plain(inspection, known, imported, unopened) | told)
        elif not display.quiet:
            print_inspection(output.consoles.out, inspection, known, imported, top or None)
            if suggest:
                print_suggestions(output.consoles.out, inspection, known)
        bad = unreadable or any(outcome == EventOutcome.REJECTED for outcome, _ in inspection.stats.reasons)
        raise typer.Exit(ExitCode.SOME_FAILED if bad else ExitCode.DONE)


def known_for(settings: Settings, output: Output, *, offline: bool) -> Known:
    """The account's fields where it can be asked, else those that are known."""
    from fsseg.cli import known_fields
    from fsseg.cli.which_run import names_account
    from fsseg.settings import api_token

    ready = settings.sandbox or (names_account(settings) and api_token(settings) is not None)
    if ready and not offline:
        return known_fields.online(settings, output)
    if not offline and names_account(settings):
        output.consoles.info("no API token, so nothing is read from the account")
    return known_fields.offline(settings, application_token=bool(os.environ.get("FSSEG_APPLICATION_TOKEN")))


def inspection_for(settings: Settings, known: Known, *, suggest: bool) -> Inspection:
    """What takes the events in; with `suggest` it notes what the values are like, too."""
    from fsseg.mapping.explain import Explainer
    from fsseg.mapping.inspection import Inspection
    from fsseg.mapping.mapper import Mapper
    from fsseg.mapping.profiles import Profiles

    rules = _rules(settings, known)
    profiles = Profiles() if suggest else None
    return Inspection(
        lambda warnings: Mapper(known.catalog, rules, warnings), Explainer(known.catalog, rules), profiles
    )


def _rules(settings: Settings, known: Known) -> Rules:
    from msgspec.structs import replace

    from fsseg.cli.session import rules_of

    rules = rules_of(settings, application_token=known.application_token, offline=known.source != "account")
    return replace(rules, inspecting=True)


def read_all(inspection: Inspection, settings: Settings, files: list[str], output: Output, known: Known) -> int:
    """Read all files; how many could not be, or not to their ends. Raises `NoInput` if nothing was read of any."""
    from fsseg.cli.run_inputs import tell_empty
    from fsseg.segment.hints import hints_of
    from fsseg.segment.no_input import nothing_to_read
    from fsseg.segment.open import Input
    from fsseg.segment.placeholders import PlaceholderIds
    from fsseg.segment.read import read
    from fsseg.segment.tables.profiles_sync import identifiers_among

    hints = hints_of(settings.model_dump(), identifiers_among(files))
    inputs = [Input(path, number, hints=hints) for number, path in enumerate(files)]
    with output.progress.stage("Read", None, "events") as stage:
        if settings.cluster.address is None:
            ids = PlaceholderIds(settings.identity.placeholder_ids)
            for input in inputs:
                inspection.take(input, read(input, placeholder_ids=ids), stage.advance)
        else:
            _read_on_cluster(settings.cluster.address, inspection, settings, inputs, known, stage, output)
    tell_empty(output.consoles, [file.path for file in inspection.stats.files if not (file.events or file.unreadable)])
    faults = [f"{file.path}: {file.unreadable}" for file in inspection.stats.files if file.unreadable]
    if faults and len(faults) == len(files) and not inspection.stats.read:
        raise nothing_to_read(*faults)
    for fault in faults:
        output.consoles.mistake(fault)
    return len(faults)


def _read_on_cluster(
    address: str, inspection: Inspection, settings: Settings, inputs: list[Input], known: Known, stage: Stage,
    output: Output,
) -> None:  # fmt: skip
    """Have the workers of a cluster look at the inputs."""
    import tempfile
    from contextlib import closing
    from pathlib import Path

    from fsseg.cluster import Cluster
    from fsseg.fold.engines.cluster_inspection import inspected

    rules = _rules(settings, known)
    suggest = inspection.profiles is not None
    with tempfile.TemporaryDirectory() as folder:
        paths = [input.path for input in inputs]
        with closing(Cluster(address, paths, Path(folder), say=output.progress.message)) as cluster:
            for taken, lines in inspected(
                cluster, inputs, known.catalog, rules, stage.advance, stage.note, suggest=suggest
            ):
                inspection.add_all(taken, lines)
