/* SPDX-License-Identifier: Apache-2.0
 *
 * The page's grid and table of workers: what they say of a busy one, in which
 * order, and which ones; from a snapshot and from a source of slots.
 */
#include "render_view.h"

#include "render/page_rank.h"

static fixed_view_t fixed;
static apr_pool_t *pool;

static int page_has(const char *needle)
{
    text_t text = render(amgr_write_page, &fixed.view, 4096);
    int found = strstr(text.data, needle) != NULL;

    free(text.data);
    return found;
}

/* The pids and slots of the rows, in their order. */
static const char *rows(void)
{
    static char list[4096];
    text_t text = render(amgr_write_page, &fixed.view, 4096);
    const char *at = text.data;
    amgr_sink_t sink;

    amgr_sink_init_text(&sink, list, sizeof(list));
    while ((at = strstr(at, "<tr id=\"w-")) != NULL) {
        at += strlen("<tr id=\"w-");
        amgr_sink_put(&sink, at, strcspn(at, "\""));
        amgr_sink_putc(&sink, ' ');
    }
    free(text.data);
    return amgr_sink_text(&sink);
}

static void order_by(const char *word, int descending)
{
    amgr_page_order_t *order = &fixed.view.query.orders[AMGR_PAGE_WORKERS];

    apr_cpystrn(order->word, word, sizeof(order->word));
    order->descending = descending;
}

static void filter_by(const char *text)
{
    apr_cpystrn(fixed.view.query.filter, text, sizeof(fixed.view.query.filter));
}

static void begin_prefork(void)
{
    view_prefork(&fixed);
    fixed.view.pool = pool;
}

static void test_grid(void **state)
{
    (void)state; /* cmocka's signature */
    begin_prefork();
    assert_true(page_has(
        "<p class=\"grid\"><span aria-hidden=\"true\">_</span>"
        "<a href=\"#w-1-0\" id=\"g-1-0\" class=\"m-W\">W<span> 2.5s GET /a"
        " HTTP/1.1 www.example.org:443</span></a>"
        "<span aria-hidden=\"true\">_</span>"));
    fixed.view.show_requests = AMGR_SHOW_OFF;
    assert_true(page_has("W<span> 2.5s www.example.org:443</span>"));
    view_event(&fixed);
    assert_true(page_has("<ul class=\"grid\">\n<li id=\"g-2001\">2001 <small>"
                         "2 of 3 busy</small> <a href=\"#w-2-0\" id=\"g-2-0\""
                         " class=\"m-W old\">W<span> 5m 1s, hanging "));
    assert_true(page_has("</a><span aria-hidden=\"true\">_</span><a href="));
    view_empty(&fixed);
    assert_false(page_has("class=\"grid\""));
}

/* From four fifths of its limit on, and from the threshold on. */
static void test_marks(void **state)
{
    amgr_slot_t *slot = &fixed.slots[1];

    (void)state; /* cmocka's signature */
    begin_prefork();
    slot->request_age_us = VIEW_SEC(96) - 1;
    assert_true(page_has("class=\"m-W\">W<span> 1m 35s GET"));
    assert_true(page_has("<td>1m 35s</td>"));
    slot->request_age_us = VIEW_SEC(96);
    assert_true(page_has("class=\"m-W old\">W<span> 1m 36s of 2m GET"));
    assert_true(page_has("<td><span class=\"mark warn\">1m 36s of 2m</span>"));
    slot->endless = 1;
    assert_true(page_has("<td>1m 36s</td>"));
    slot->request_age_us = VIEW_SEC(300);
    assert_true(page_has("warn\">5m, hanging</span>"));
    slot->endless = 0;
    assert_true(page_has("warn\">5m of 2m, hanging</span>"));
    slot->max_time_us = AMGR_LIMIT_OFF;
    fixed.config.limits.hanging_us = AMGR_LIMIT_OFF;
    assert_true(page_has("<td>5m</td>"));
}

/* Without ExtendedStatus nobody counts: zero would be a lie. */
static void test_not_counted(void **state)
{
    static const char *const words[] = {"acc", "cpu",  "ss",    "req",
                                        "dur", "conn", "child", "slot"};
    const char *plain;
    char kept[4096];
    size_t i;

    (void)state; /* cmocka's signature */
    begin_prefork();
    assert_true(page_has("<td>3/345/1200</td>"));
    fixed.snapshot.server.extended = 0;
    assert_false(page_has("<td>3/345/1200</td>"));
    assert_true(page_has("<td>n/a</td><td>W</td><td>n/a</td><td>n/a</td>"
                         "<td>n/a</td><td>n/a</td><td>n/a</td><td>n/a</td>"
                         "<td>n/a</td><td>"));
    /* Nor can they be put in order by it. */
    plain = rows();
    apr_cpystrn(kept, plain, sizeof(kept));
    for (i = 0; i < AMGR_COUNT(words); i++) {
        fixed.slots[i % 4].accesses = 5000 + i;
        fixed.slots[i % 4].bytes = 5000 + i;
        order_by(words[i], 0);
        assert_string_equal(rows(), kept);
    }
    /* Of processes the same. */
    begin_prefork();
    fixed.processes[0].accesses = 4321;
    assert_true(page_has("<td>4321</td>"));
    fixed.snapshot.server.extended = 0;
    assert_false(page_has("<td>4321</td>"));
}

static void test_order(void **state)
{
    static const char *const words[] = {
        "srv",    "pid",      "acc",   "mode",   "cpu",  "ss",
        "req",    "dur",      "conn",  "child",  "slot", "age",
        "client", "protocol", "vhost", "request"};
    size_t i;

    (void)state; /* cmocka's signature */
    begin_prefork();
    assert_string_equal(rows(), "0-0 1-0 2-0 3-0 4-0 5-0 ");
    order_by("pid", 1);
    assert_string_equal(rows(), "5-0 4-0 3-0 2-0 1-0 0-0 ");
    order_by("nonsense", 1);
    assert_string_equal(rows(), "0-0 1-0 2-0 3-0 4-0 5-0 ");
    fixed.slots[3].request_age_us = VIEW_SEC(3);
    order_by("age", 1);
    assert_string_equal(rows(), "3-0 1-0 0-0 2-0 4-0 5-0 ");
    order_by("age", 0);
    assert_string_equal(rows(), "1-0 3-0 0-0 2-0 4-0 5-0 ");
    order_by("mode", 0);
    assert_string_equal(rows(), "4-0 5-0 1-0 3-0 0-0 2-0 ");
    apr_cpystrn(fixed.slots[4].vhost, "a.example",
                sizeof(fixed.slots[4].vhost));
    fixed.slots[2].vhost[0] = '\0';
    order_by("vhost", 0);
    assert_string_equal(rows(), "4-0 0-0 1-0 3-0 5-0 2-0 ");
    order_by("vhost", 1);
    assert_string_equal(rows(), "0-0 1-0 3-0 5-0 4-0 2-0 ");
    for (i = 0; i < AMGR_COUNT(words); i++) {
        order_by(words[i], 1);
        assert_true(page_has("aria-sort=\"descending\""));
        assert_int_equal(strlen(rows()), 6 * 4);
    }
}

/* Every number is ordered as a number. */
static void test_order_numbers(void **state)
{
    static const char *const words[] = {"acc",  "cpu",   "req", "dur",
                                        "conn", "child", "slot"};
    amgr_slot_t *slot = &fixed.slots[4];
    size_t i;

    (void)state; /* cmocka's signature */
    begin_prefork();
    slot->accesses = 90000;
    slot->cpu_ticks = 90000;
    slot->stop_time_us = slot->start_time_us + VIEW_SEC(900);
    slot->duration_us = VIEW_SEC(9000);
    slot->conn_bytes = VIEW_MIB(900);
    slot->child_bytes = VIEW_MIB(900);
    slot->bytes = VIEW_MIB(900);
    for (i = 0; i < AMGR_COUNT(words); i++) {
        order_by(words[i], 1);
        assert_true(strncmp(rows(), "4-0 ", 4) == 0);
        order_by(words[i], 0);
        assert_true(strstr(rows(), " 4-0 ") + 5 == rows() + strlen(rows()));
    }
    slot->last_used_us = VIEW_NOW_US - VIEW_SEC(2);
    order_by("ss", 0);
    assert_true(strncmp(rows(), "4-0 ", 4) == 0);
}

static void test_filter(void **state)
{
    (void)state; /* cmocka's signature */
    begin_prefork();
    filter_by("1103");
    assert_string_equal(rows(), "2-0 ");
    /* What has no row has no link to it. */
    assert_true(page_has("<b tabindex=\"0\" id=\"g-1-0\" class=\"m-W\">W"));
    assert_false(page_has("href=\"#w-"));
    filter_by("k");
    assert_string_equal(rows(), "5-0 ");
    filter_by("EXAMPLE.org");
    assert_string_equal(rows(), "0-0 1-0 2-0 3-0 4-0 5-0 ");
    apr_cpystrn(fixed.slots[2].client, "198.51.100.7",
                sizeof(fixed.slots[2].client));
    filter_by("198.51.100.7");
    assert_string_equal(rows(), "2-0 ");
    apr_cpystrn(fixed.slots[3].protocol, "h2", sizeof(fixed.slots[3].protocol));
    filter_by("h2");
    assert_string_equal(rows(), "3-0 ");
    filter_by("<b>&");
    assert_string_equal(rows(), "");
    assert_true(page_has("<q>&lt;b&gt;&amp;</q>"));
    assert_true(page_has("<p>There is none.</p>"));
}

/* Neither an order nor a filter tells of what is hidden. */
static void test_hidden(void **state)
{
    (void)state; /* cmocka's signature */
    begin_prefork();
    filter_by("secret");
    assert_string_equal(rows(), "");
    fixed.view.show_requests = AMGR_SHOW_FULL;
    assert_string_equal(rows(), "0-0 1-0 2-0 3-0 4-0 5-0 ");
    fixed.view.show_requests = AMGR_SHOW_OFF;
    filter_by("GET");
    assert_string_equal(rows(), "");
    fixed.view.show_requests = AMGR_SHOW_PATH;
    fixed.view.show_clients = AMGR_CLIENTS_OFF;
    filter_by("192.0.2.7");
    assert_string_equal(rows(), "");
    filter_by("");
    apr_cpystrn(fixed.slots[5].client, "10.0.0.1",
                sizeof(fixed.slots[5].client));
    order_by("client", 0);
    assert_string_equal(rows(), "0-0 1-0 2-0 3-0 4-0 5-0 ");
    apr_cpystrn(fixed.slots[5].request, "GET /a?0 HTTP/1.1",
                sizeof(fixed.slots[5].request));
    order_by("request", 0);
    assert_string_equal(rows(), "0-0 1-0 2-0 3-0 4-0 5-0 ");
}

/* A server whose slots come from a source: so many processes of so many. */
typedef struct many_t {
    int width;
    int reads;     /**< calls for one slot or a row */
    int most;      /**< slots asked for at once */
    int idle_each; /**< every so-manieth slot is idle, 0: none */
} many_t;

static int many_mode(const many_t *many, int index)
{
    return many->idle_each > 0 && index % many->idle_each == 0
               ? AMGR_MODE_READY
               : AMGR_MODE_WRITE;
}

static int read_many(void *baton, const amgr_process_t *process, int first,
                     amgr_slot_t *out, int max)
{
    many_t *many = baton;
    int i;

    many->reads++;
    many->most = max > many->most ? max : many->most;
    for (i = 0; i < max && first + i < many->width; i++) {
        int index = process->process_slot * many->width + first + i;

        out[i] = fixed.slots[1];
        out[i].process_slot = process->process_slot;
        out[i].thread = first + i;
        out[i].mode = many_mode(many, index);
        /* Neither falls nor rises with the index. */
        out[i].request_age_us = VIEW_SEC(index * 7919 % 100003);
    }
    return i;
}

static void read_many_letters(void *baton, apr_int64_t first, char *out,
                              int count)
{
    const many_t *many = baton;
    int i;

    for (i = 0; i < count; i++) {
        out[i] = amgr_mode_letter(many_mode(many, (int)first + i));
    }
}

static void begin_many(many_t *many, amgr_slot_source_t *source, int processes)
{
    static amgr_process_t table[100];
    static amgr_slot_t room[32];
    int i;

    begin_prefork();
    assert_true(processes <= 100 && many->width <= 200);
    for (i = 0; i < processes; i++) {
        table[i] = fixed.processes[1];
        table[i].id.pid = 1000 + i;
        table[i].process_slot = i;
        table[i].first_slot = 0;
        table[i].slot_count = many->width;
        table[i].busy_slots = many->width;
    }
    memset(source, 0, sizeof(*source));
    source->read_slots = read_many;
    source->read_letters = read_many_letters;
    source->baton = many;
    source->letter_count = (apr_int64_t)processes * many->width;
    source->columns = many->width;
    source->room = room;
    source->room_max = 32;
    fixed.snapshot.processes = table;
    fixed.snapshot.process_count = processes;
    fixed.snapshot.slots = NULL;
    fixed.snapshot.slot_count = 0;
    fixed.snapshot.server.threads_per_process = many->width;
    fixed.view.source = source;
    fixed.view.record_count = 0;
}

static size_t count_of(const char *text, const char *needle)
{
    size_t count = 0;

    while ((text = strstr(text, needle)) != NULL) {
        count++;
        text += strlen(needle);
    }
    return count;
}

static void test_source(void **state)
{
    many_t many = {20, 0, 0, 2};
    amgr_slot_source_t source;
    text_t text;

    (void)state; /* cmocka's signature */
    begin_many(&many, &source, 4);
    text = render(amgr_write_page, &fixed.view, 4096);
    assert_int_equal(count_of(text.data, "<tr id=\"w-"), 80);
    assert_int_equal(count_of(text.data, "class=\"m-W"), 40);
    assert_non_null(strstr(text.data, "<pre>_W_W_W"));
    assert_int_equal(many.most, 32);
    free(text.data);
    text = render(amgr_write_status_json, &fixed.view, 4096);
    assert_true(json_is_valid(text.data));
    assert_int_equal(count_of(text.data, "\"mode\":\"W\""), 40);
    free(text.data);
}

/* 20,000 busy slots, and as one in a hundred is idle 2,000 of the others at
 * most have a cell; in an order, as many have a row. */
static void test_many(void **state)
{
    many_t many = {200, 0, 0, 100};
    amgr_slot_source_t source;
    text_t text;
    long last = -1;
    const char *at;

    (void)state; /* cmocka's signature */
    begin_many(&many, &source, 100);
    text = render(amgr_write_page, &fixed.view, 4096);
    assert_int_equal(count_of(text.data, "class=\"m-W"), 2000);
    assert_int_equal(count_of(text.data, "<a href=\"#w-"), 2000);
    assert_int_equal(count_of(text.data, "<tr id=\"w-"), 19800);
    free(text.data);
    order_by("srv", 1);
    assert_true(strncmp(rows(), "99-199 99-198 ", 14) == 0);
    order_by("age", 1);
    text = render(amgr_write_page, &fixed.view, 4096);
    assert_int_equal(count_of(text.data, "<tr id=\"w-"), 2000);
    /* Not all cells have a row any more. */
    assert_int_equal(count_of(text.data, "class=\"m-W"), 2000);
    assert_int_equal(count_of(text.data, "<a href=\"#w-"), 0);
    assert_non_null(strstr(text.data, "<p>Of 19800 these are the first 2000"
                                      " in this order.</p>"));
    for (at = text.data; (at = strstr(at, "<tr id=\"w-")) != NULL; at++) {
        char *end;
        long row = strtol(at + strlen("<tr id=\"w-"), &end, 10);
        long age = (row * 200 + strtol(end + 1, NULL, 10)) * 7919 % 100003;

        assert_true(last < 0 || age <= last);
        last = age;
    }
    free(text.data);
    assert_int_equal(many.most, 32);
}

static void test_rank(void **state)
{
    amgr_page_top_t *top = amgr_page_top_create(3, 0, pool);
    amgr_page_ranked_t row;
    int i;

    (void)state; /* cmocka's signature */
    memset(&row, 0, sizeof(row));
    for (i = 0; i < 10; i++) {
        row.known = i != 0;
        row.number = (apr_uint64_t)(i * 7 % 10);
        row.slot = i;
        amgr_page_top_add(top, &row);
    }
    amgr_page_top_sort(top);
    assert_int_equal(top->count, 3);
    assert_int_equal(top->rows[0].number, 1);
    assert_int_equal(top->rows[1].number, 2);
    assert_int_equal(top->rows[2].number, 3);
    top = amgr_page_top_create(0, 0, pool);
    amgr_page_top_add(top, &row);
    amgr_page_top_sort(top);
    assert_int_equal(top->count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grid),          cmocka_unit_test(test_marks),
        cmocka_unit_test(test_not_counted),   cmocka_unit_test(test_order),
        cmocka_unit_test(test_order_numbers), cmocka_unit_test(test_filter),
        cmocka_unit_test(test_hidden),        cmocka_unit_test(test_source),
        cmocka_unit_test(test_many),          cmocka_unit_test(test_rank),
    };

    if (apr_initialize() != APR_SUCCESS ||
        apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
