/* SPDX-License-Identifier: Apache-2.0
 *
 * status.json read back: what was written from a view is written again the
 * same from what was read, and anything that is not such a text is refused.
 */
#include "managed_view.h"

#include "cli/source/source_parts.h"

static fixed_view_t fixed;

static int set_up(void **state)
{
    apr_pool_t *pool;

    assert_int_equal(apr_initialize(), APR_SUCCESS);
    assert_int_equal(apr_pool_create(&pool, NULL), APR_SUCCESS);
    *state = pool;
    return 0;
}

static int tear_down(void **state)
{
    apr_pool_destroy(*state);
    apr_terminate();
    return 0;
}

static amgr_source_t read_back(const text_t *text, apr_pool_t *pool)
{
    amgr_source_t source;
    const amgr_fault_t *fault =
        amgr_source_json(text->data, text->len, "a test", &source, pool);

    if (fault != NULL) {
        fail_msg("%s", fault->text);
    }
    return source;
}

static void assert_same(const text_t *want, const text_t *got)
{
    size_t i = 0;

    while (want->data[i] != '\0' && want->data[i] == got->data[i]) {
        i++;
    }
    if (want->data[i] != got->data[i]) {
        size_t from = i > 100 ? i - 100 : 0;

        fail_msg("differs at byte %lu\nwant: %.160s\n got: %.160s",
                 (unsigned long)i, want->data + from, got->data + from);
    }
}

static void check_round(write_fn *write, fixed_view_fn *make, apr_pool_t *pool)
{
    amgr_source_t source;
    text_t again;
    text_t json;
    text_t text;

    make(&fixed);
    fixed.view.show_requests = AMGR_SHOW_FULL;
    json = render(amgr_write_status_json, &fixed.view, 4096);
    text = render(write, &fixed.view, 4096);
    source = read_back(&json, pool);
    again = render(write, &source.view, 4096);
    assert_same(&text, &again);
    assert_int_equal(source.kind, AMGR_SOURCE_STATUS_JSON);
    assert_ptr_equal(source.status_json, json.data);
    assert_int_equal(source.status_json_length, json.len);
    free(again.data);
    free(json.data);
    free(text.data);
}

static void make_plain(char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text >= 0x80) {
            *text = '!';
        }
    }
}

static void plain_evidence(amgr_evidence_t *evidence)
{
    int i;

    for (i = 0; i < evidence->request_count; i++) {
        make_plain(evidence->requests[i].client);
        make_plain(evidence->requests[i].request);
        make_plain(evidence->requests[i].vhost);
        make_plain(evidence->requests[i].protocol);
    }
    for (i = 0; i < evidence->thread_count; i++) {
        make_plain(evidence->blocked[i].call);
        make_plain(evidence->blocked[i].target);
        make_plain(evidence->blocked[i].wchan);
    }
}

/* Bytes that are no characters are not told as they were, and take more room
 * than they had. */
static void view_characters(fixed_view_t *view)
{
    int i;

    view_event(view);
    for (i = 0; i < view->snapshot.group_count; i++) {
        make_plain(view->snapshot.groups[i].name);
    }
    for (i = 0; i < view->snapshot.slot_count; i++) {
        make_plain(view->slots[i].client);
        make_plain(view->slots[i].request);
        make_plain(view->slots[i].vhost);
        make_plain(view->slots[i].protocol);
    }
    for (i = 0; i < view->view.record_count; i++) {
        make_plain(view->records[i].request);
        make_plain(view->records[i].vhost);
        make_plain(view->records[i].group);
        view->records[i].requests = -1;
    }
    for (i = 0; i < view->view.evidence_count; i++) {
        plain_evidence(&view->evidences[i]);
    }
}

static void view_managed_characters(fixed_view_t *view)
{
    int i;

    view_managed(view);
    view->view.control_token = NULL; /* which status.json does not tell */
    for (i = 0; i < managed_table.count; i++) {
        make_plain(managed_table.processes[i].status);
    }
}

static void test_round_managed(void **state)
{
    check_round(amgr_write_status_json, view_managed_characters, *state);
    check_round(amgr_write_processes_json, view_managed_characters, *state);
    check_round(amgr_write_ready_json, view_managed_characters, *state);
    check_round(amgr_write_processes_json, view_unsupervised, *state);
    check_round(amgr_write_processes_json, view_prefork, *state);
}

static void test_round_json(void **state)
{
    check_round(amgr_write_status_json, view_prefork, *state);
    check_round(amgr_write_status_json, view_characters, *state);
    check_round(amgr_write_status_json, view_empty, *state);
}

static void test_round_metrics(void **state)
{
    check_round(amgr_write_metrics_txt, view_prefork, *state);
    check_round(amgr_write_metrics_txt, view_characters, *state);
    check_round(amgr_write_metrics_txt, view_empty, *state);
    check_round(amgr_write_discovery_json, view_prefork, *state);
}

static text_t prefork_json(void)
{
    view_prefork(&fixed);
    return render(amgr_write_status_json, &fixed.view, 4096);
}

/* The same with managed processes. */
static text_t managed_json(void)
{
    view_managed_characters(&fixed);
    fixed.view.show_requests = AMGR_SHOW_FULL;
    return render(amgr_write_status_json, &fixed.view, 4096);
}

static void test_what_is_told(void **state)
{
    text_t json = prefork_json();
    amgr_source_t source = read_back(&json, *state);
    const amgr_snapshot_t *snapshot = source.view.snapshot;
    const amgr_process_t *process;
    int i;

    assert_string_equal(source.name, "a test");
    assert_int_equal(source.age_us, VIEW_SEC(4) + 500);
    assert_int_equal(source.parent.pid, 0);
    assert_null(source.control_socket);
    assert_int_equal(source.view.started_us,
                     VIEW_NOW_US - fixed.snapshot.server.uptime_us);
    assert_int_equal(snapshot->process_count, fixed.snapshot.process_count);
    for (i = 0; i < snapshot->process_count; i++) {
        const amgr_process_t *from = &fixed.processes[i];

        process = &snapshot->processes[i];
        assert_int_equal(process->role, from->role);
        assert_int_equal(process->active, from->active);
        assert_int_equal(process->busy_slots, from->busy_slots);
        assert_int_equal(process->accesses, from->accesses);
        assert_int_equal(process->uss_bytes, AMGR_UNKNOWN);
        assert_int_equal(process->id.start_ticks, 0);
        assert_true(process->first_slot + process->slot_count <=
                    snapshot->slot_count);
    }
    for (i = 0; i < snapshot->slot_count; i++) {
        assert_int_equal(snapshot->slots[i].process_slot,
                         fixed.slots[i].process_slot);
        assert_int_equal(snapshot->slots[i].thread, 0);
    }
    free(json.data);
}

/* Refused with a line that tells why, whatever is left of it. */
static void refuse(const char *text, size_t len, const char *why,
                   apr_pool_t *pool)
{
    char *exact = malloc(len > 0 ? len : 1);
    const amgr_fault_t *fault;
    amgr_source_t source;
    const char *at;

    assert_non_null(exact);
    memcpy(exact, text, len);
    fault = amgr_source_json(exact, len, "a test", &source, pool);
    if (fault == NULL) {
        fail_msg("taken: %.200s", text);
    }
    assert_int_equal(fault->exit_code, AMGR_EXIT_FAILED);
    if (strstr(fault->text, why) == NULL) {
        fail_msg("\"%s\" does not tell that %s", fault->text, why);
    }
    for (at = fault->text; *at != '\0'; at++) {
        assert_true((unsigned char)*at >= 0x20);
    }
    free(exact);
}

static void test_refused(void **state)
{
    static const struct {
        const char *text;
        const char *why;
    } cases[] = {
        {"", "is no status.json"},
        {"<html>\033[2J</html>", "is no status.json"},
        {"[]", "is no status.json of mod_apache_manager"},
        {"{}", "is no status.json of mod_apache_manager"},
        {"{\"schema\":2}", "schema 2"},
        {"{\"schema\":\"1\"}", "schema that has no number"},
        {"{\"schema\":1}", "member \"server\" is missing"},
        {"{\"schema\":1,\"schema\":1}", "duplicate"},
        {"{\"schema\":1,\"server\":7}", "member \"server\" is no object"},
        {"{\"schema\":1} x", "is no status.json"},
        {"{\"a\":\"\\u0000\"}", "is no status.json"},
        {"{\"a\":\"\xff\"}", "is no status.json"},
        {"{\"a\":1e999}", "is no status.json"},
        {"{\"a\":NaN}", "is no status.json"},
    };
    text_t json = prefork_json();
    size_t i;

    for (i = 0; i < AMGR_COUNT(cases); i++) {
        refuse(cases[i].text, strlen(cases[i].text), cases[i].why, *state);
    }
    for (i = 0; i < json.len - 2; i += 97) {
        refuse(json.data, i, "", *state);
    }
    json.data[json.len / 2] = '\0';
    refuse(json.data, json.len, "is no status.json", *state);
    free(json.data);
}

/* As deep, as many and as big as can be written in so many bytes. */
static void test_too_much(void **state)
{
    static const char *const pieces[] = {"[", "{\"a\":", "{},", "0,"};
    size_t len = 16 * 1024 * 1024;
    char *text = malloc(len + 1);
    size_t i;

    assert_non_null(text);
    for (i = 0; i < AMGR_COUNT(pieces); i++) {
        size_t used = i >= 2;

        text[0] = '[';
        while (used + 8 < len) {
            memcpy(text + used, pieces[i], strlen(pieces[i]));
            used += strlen(pieces[i]);
        }
        refuse(text, used, "", *state);
    }
    free(text);
}

/* What no reader asks for, since it follows from the rest. */
static int is_derived(const char *key)
{
    static const char *const keys[] = {
        "inert\":",
        "limit_in_seconds\":",
        "health\":",
        "id\":",
        "missed\":",
        "window_seconds\":3600",
        "retired\":{",
        "dry_runs\":",
        "at_least\":",
        "bytes_per_request\":",
        "recent\":{\"window_seconds\":3600",
    };
    size_t i;

    for (i = 0; i < AMGR_COUNT(keys); i++) {
        if (strncmp(key, keys[i], strlen(keys[i])) == 0) {
            return 1;
        }
    }
    return 0;
}

/* Within the summary of retirements of "manager", which nobody asks for. */
static int is_in_summary(const text_t *json, const char *at)
{
    const char *begin =
        strstr(json->data, "\"recent\":{\"window_seconds\":3600");
    const char *end = begin == NULL ? NULL : strstr(begin, "at_least");

    assert_non_null(end);
    return at > begin && at < end;
}

/* Each member that is read must be there, be of its type, and not null unless
 * it may be. */
static void test_members(void **state)
{
    text_t json = managed_json();
    int checked = 0;
    char *at = json.data;

    while ((at = strstr(at, "\":")) != NULL) {
        char *key = at;
        char before = at[-1];
        amgr_source_t source;
        apr_pool_t *pool;

        while (key[-1] != '"') {
            key--;
        }
        if (is_derived(key) || is_in_summary(&json, key)) {
            at += 2;
            continue;
        }
        assert_int_equal(apr_pool_create(&pool, *state), APR_SUCCESS);
        at[-1] = '#';
        if (amgr_source_json(json.data, json.len, "a test", &source, pool) ==
            NULL) {
            fail_msg("nobody misses %.60s", key);
        }
        at[-1] = before;
        checked++;
        apr_pool_destroy(pool);
        at += 2;
    }
    assert_true(checked > 600);
    free(json.data);
}

/* The text with the first @a from replaced, which must be there. */
static text_t replaced(const text_t *json, const char *from, const char *to)
{
    const char *at = strstr(json->data, from);
    text_t out;

    assert_non_null(at);
    out.len = json->len - strlen(from) + strlen(to);
    out.data = malloc(out.len + 1);
    assert_non_null(out.data);
    snprintf(out.data, out.len + 1, "%.*s%s%s", (int)(at - json->data),
             json->data, to, at + strlen(from));
    return out;
}

static void test_values_refused(void **state)
{
    static const struct {
        const char *from;
        const char *to;
        const char *why;
    } cases[] = {
        {"\"busy_workers\":3", "\"busy_workers\":-1", "busy_workers"},
        {"\"busy_workers\":3", "\"busy_workers\":2147483648", "busy_workers"},
        {"\"busy_workers\":3", "\"busy_workers\":1e300", "busy_workers"},
        {"\"busy_workers\":3", "\"busy_workers\":3.5", "busy_workers"},
        {"\"busy_workers\":3", "\"busy_workers\":null", "busy_workers"},
        {"\"pid\":1101", "\"pid\":0", "pid"},
        {"\"pid\":1101", "\"pid\":-1101", "pid"},
        {"\"pid\":1101", "\"pid\":99999999", "pid"},
        {"\"pid\":1102", "\"pid\":1101", "order"},
        {"\"kind\":\"native\"", "\"kind\":\"other\"", "kind"},
        {"\"kind\":\"native\"", "\"kind\":null", "kind"},
        {"\"state\":\"serving\"", "\"state\":1", "state"},
        {"\"active\":true", "\"active\":1", "active"},
        {"\"max_retiring\":\"10%\"", "\"max_retiring\":\"0%\"", "share"},
        {"\"interval_seconds\":10.0", "\"interval_seconds\":1e9", "interval"},
        {"\"time\":1700000000.123456", "\"time\":null", "time"},
        {"\"time\":1700000000.123456", "\"time\":0", "time"},
        {"\"cpu_load\":", "\"cpu_load\":1e305,\"x\":", "cpu_load"},
        {"\"busy_peak\":[", "\"busy_peak\":[1,", "busy_peak"},
        {"\"name\":\"web\"", "\"name\":\"\"", "name"},
        {"\"name\":\"web\"", "\"name\":null", "name"},
        {"\"state\":\"FATAL\"", "\"state\":\"FINE\"", "state"},
        {"\"cause\":\"memory\"", "\"cause\":\"fun\"", "cause"},
        {"\"pid\":4003", "\"pid\":0", "pid"},
        {"\"signal\":9", "\"signal\":65", "signal"},
        {"\"tree\":7", "\"tree\":-1", "tree"},
        {"\"cpu_seconds\":61.0", "\"cpu_seconds\":1e300", "cpu_seconds"},
        {"\"after\":[\"solr\"]", "\"after\":[\"lunar\"]", "after"},
        {"\"after\":[\"solr\"]", "\"after\":[7]", "after"},
        {"\"restart\":\"never\"", "\"restart\":\"ever\"", "restart"},
    };
    text_t json = managed_json();
    size_t i;

    for (i = 0; i < AMGR_COUNT(cases); i++) {
        text_t other = replaced(&json, cases[i].from, cases[i].to);

        refuse(other.data, other.len, cases[i].why, *state);
        free(other.data);
    }
    free(json.data);
}

/* More of them than there is room for, and things that are none. */
static void test_managed_bounded(void **state)
{
    char many[16 + 3 * (AMGR_MANAGED_MAX + 1)] = "\"managed\":[";
    text_t json = managed_json();
    text_t other = replaced(&json, "\"managed\":[", "\"managed\":[7,");
    int i;

    refuse(other.data, other.len, "is no object", *state);
    free(other.data);
    for (i = 0; i < AMGR_MANAGED_MAX + 1; i++) {
        strncat(many, "{},", sizeof(many) - strlen(many) - 1);
    }
    other = replaced(&json, "\"managed\":[", many);
    refuse(other.data, other.len, "has too many", *state);
    free(other.data);
    free(json.data);
}

/* What a child of the server can make of its own figures blinds nobody. */
static void test_values_bounded(void **state)
{
    text_t json = prefork_json();
    text_t other = replaced(&json, "\"conn\":",
                            "\"conn\":18446744073709551614"
                            ",\"x\":");
    amgr_source_t source = read_back(&other, *state);

    assert_true(source.view.snapshot->slots[0].conn_bytes >=
                APR_UINT64_C(18446744073709549568));
    assert_int_equal(source.view.snapshot->server.total_accesses,
                     fixed.snapshot.server.total_accesses);
    free(other.data);
    other = replaced(&json, "\"dur\":", "\"dur\":-5,\"x\":");
    source = read_back(&other, *state);
    assert_int_equal(source.view.snapshot->slots[0].duration_us, 0);
    free(other.data);
    other = replaced(&json, "\"cpu\":", "\"cpu\":9e18,\"x\":");
    read_back(&other, *state);
    free(other.data);
    other = replaced(&json, "\"client\":",
                     "\"client\":\""
                     "123456789012345678901234567890123456789012345678901234"
                     "5678901\xe2\x82\xac\",\"x\":");
    source = read_back(&other, *state);
    assert_int_equal(strlen(source.view.snapshot->slots[0].client), 61);
    free(other.data);
    free(json.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_round_json, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_round_managed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_managed_bounded, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_round_metrics, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_too_much, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_members, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_values_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_values_bounded, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
