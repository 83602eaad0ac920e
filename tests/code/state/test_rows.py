"""Each row of the table of rules in docs/state.md has tests that show it: a row without one, or of no row, is found."""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).parent
PAGE = FOLDER.parents[2] / "docs" / "state.md"

ROWS = {
    "the statements that bind the name changed": (
        "test_a_changed_statement_wins_and_what_is_left_behind_is_named_and_comes_back",
        "test_all_the_statements_count_and_their_order",
    ),
    "containers: dict, list, set, deque": (
        "test_a_container_that_was_filled_stays_the_same_object",
        "test_containers_are_merged_at_every_depth",
    ),
    "the program and the text changed the same item": (
        "test_an_item_that_all_three_make_otherwise_stays_and_is_named",
    ),
    "a registry that decorators fill": (
        "test_a_registry_has_the_new_functions_and_what_others_put_in",
        "test_a_registry_of_classes_by_init_subclass",
    ),
    "functions and classes of the module that the program has put": (
        "test_they_are_the_new_ones_as_keys_elements_and_values_at_every_depth",
        "test_a_bound_method_of_an_object_that_migrates_runs_the_new_code",
        "test_keys_stay_while_a_process_runs_the_old_version_and_that_is_named",
    ),
    "lists and deques": ("test_elements_that_cannot_be_told_apart_stay_and_it_is_said",),
    "order": ("test_the_order_is_the_new_body_s_and_then_the_rest",),
    "an item deleted at run time": (
        "test_an_item_deleted_at_run_time_stays_deleted_and_a_deleted_name_is_bound_again",
    ),
    "a name deleted at run time": ("test_an_item_deleted_at_run_time_stays_deleted_and_a_deleted_name_is_bound_again",),
    "more than 10,000 items": ("test_a_container_of_more_than_ten_thousand_items_is_kept_whole_and_it_is_said",),
    "a loop is in the midst of a container": ("test_a_loop_that_is_in_the_midst_of_a_container_makes_it_wait",),
    "a scalar changed at run time": (
        "test_scalars_that_changed_at_run_time_keep_the_running_value",
        "test_scalars_count_apart_while_processes_run_the_old_version_and_that_is_named",
    ),
    "a scalar that was not changed": ("test_a_scalar_that_nobody_changed_and_differs_is_new_and_named",),
    "any other object": (
        "test_an_object_is_kept_and_its_statement_does_not_run_again",
        "test_its_statement_does_not_run_again_and_so_opens_nothing_twice",
    ),
    "such an object that the body uses": ("test_an_object_whose_name_a_decorator_uses_is_made_again_and_it_is_said",),
    "such an object that would be made otherwise": (
        "test_an_object_that_would_be_made_otherwise_is_new_and_the_old_one_is_left_behind",
        "test_an_object_that_is_made_with_a_value_that_differs_is_new",
    ),
    "values that refer to each other": (
        "test_names_that_refer_to_each_other_are_kept_together",
        "test_names_that_refer_to_each_other_are_never_one_old_and_one_new",
        "test_whatever_holds_a_container_holds_the_one_that_is_kept",
        "test_a_container_that_others_hold_out_of_reach_is_new_together_with_them",
    ),
    "objects of superseded classes in what is kept": (
        "test_objects_in_a_container_take_the_new_class_in_place",
        "test_objects_are_found_wherever_they_are",
        "test_a_key_whose_hash_is_another_one_is_found",
        "test_objects_of_a_class_that_a_process_runs_a_method_of_stay_and_migrate_later",
    ),
    "`lru_cache`": (
        "test_a_result_cache_starts_empty_and_it_is_said_how_many_results_went",
        "test_a_cache_in_a_superseded_class_is_named_and_one_in_a_kept_class_has_its_results",
    ),
    "`singledispatch`": ("test_what_others_have_registered_in_a_singledispatch_is_in_the_new_one",),
    "a definition replaced from outside, a value replaced by a mock": (
        "test_a_function_that_was_replaced_from_outside_is_the_text_s_and_the_loss_is_named",
        "test_a_value_that_a_mock_has_replaced_is_the_text_s",
    ),
    "an asyncio object of a loop": (
        "test_an_asyncio_object_of_a_closed_loop_is_made_again_and_it_is_said",
        "test_one_of_a_loop_that_stands_still_is_made_again_and_it_is_said",
        "test_one_of_another_loop_that_runs_is_kept",
    ),
}
"""By the beginning of a row's first column: the tests that show it."""


def rows() -> list[str]:
    """Return the first column of the table of rules."""
    _, _, rules = PAGE.read_text(encoding="utf-8").partition("## The rules")
    table, _, _ = rules.partition("\n## ")
    return re.findall(r"^\| (.*?) \|", table, re.MULTILINE)[1:]


def names_of_tests() -> set[str]:
    """Return the names of the tests of state."""
    texts = (path.read_text(encoding="utf-8") for path in FOLDER.glob("test_*.py"))
    return {name for text in texts for name in re.findall(r"^def (test_\w+)\(", text, re.MULTILINE)}


def test_each_row_has_its_tests():
    """Of several beginnings the longest counts."""
    without = [row for row in rows() if not any(row.startswith(beginning) for beginning in ROWS)]

    assert without == []
    assert [each for each in ROWS if not any(row.startswith(each) for row in rows())] == []


def test_the_tests_of_the_rows_are_there():
    """By name, in any file of this folder."""
    named = {name for names in ROWS.values() for name in names}

    assert named - names_of_tests() == set()
