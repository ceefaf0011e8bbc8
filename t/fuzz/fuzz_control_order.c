/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a line to the ticker's control socket, and any figures as what
 * the tool asks for there.  Checked besides memory: what is taken is in range,
 * what the tool writes is read as what it meant, and the answer to an order,
 * carried out or refused, is read by the tool.
 */
#include "fuzz.h"

#include "cli/kill/control_client.h"
#include "httpd/config.h"
#include "httpd/control_order.h"

static amgr_config_t config;
static fuzz_t input;

amgr_config_t *amgr_config_main(void)
{
    return &config;
}

/* Some retirements, of which one may be vetoed. */
int amgr_tick_obey(amgr_tick_t *tick, amgr_tick_order_t *order)
{
    amgr_record_t record;
    int i;

    (void)tick; /* there is none */
    if (fuzz_below(&input, 8) == 0) {
        return 0;
    }
    order->workers = 5;
    order->time_us = APR_INT64_C(1700000000000000);
    for (i = fuzz_below(&input, 4); i > 0 && order->demand != NULL; i--) {
        memset(&record, 0, sizeof(record));
        record.serial = (apr_uint64_t)i;
        record.id.pid = 2 + (pid_t)fuzz_bits(&input, 2);
        record.id.start_ticks = 1 + fuzz_bits(&input, 2);
        record.kind = fuzz_below(&input, AMGR_KIND_COUNT);
        record.action = fuzz_below(&input, AMGR_ACTION_COUNT);
        record.outcome = fuzz_below(&input, AMGR_OUTCOME_COUNT);
        record.verdict = fuzz_below(&input, AMGR_VERDICT_COUNT);
        record.measured = fuzz_bits(&input, 4);
        record.limit = fuzz_bits(&input, 4);
        fuzz_bytes(&input, record.request, sizeof(record.request) - 1);
        fuzz_bytes(&input, record.group, 8);
        order->tell(order->data, &record, fuzz_below(&input, 4) == 0);
    }
    return 1;
}

static const char *read_line(const char *line, size_t len,
                             amgr_control_order_t *out, char *buf, size_t size)
{
    const char *wrong = amgr_control_order_read(line, len, out, buf, size);

    if (wrong != NULL) {
        check(wrong[0] != '\0');
        check_line_text(wrong);
        return wrong;
    }
    check(out->demand.max_memory_active_bytes > 0 &&
          out->demand.max_memory_idle_bytes > 0 && out->demand.max_time_us > 0);
    check(out->demand.max_kills >= 0);
    check(out->demand.dry_run == 0 || out->demand.dry_run == 1);
    return NULL;
}

static apr_int64_t any_limit(void)
{
    apr_int64_t value = (apr_int64_t)(fuzz_bits(&input, 8) >> 1);

    return value == 0 ? AMGR_LIMIT_OFF : value;
}

/* What the tool writes is what the ticker reads. */
static void check_request(apr_pool_t *pool)
{
    amgr_control_order_t order;
    amgr_demand_t demand;
    char buf[128];
    const char *line;

    amgr_demand_init(&demand);
    demand.max_memory_active_bytes = any_limit();
    demand.max_memory_idle_bytes = any_limit();
    demand.max_time_us = any_limit();
    demand.max_kills = (apr_int32_t)fuzz_bits(&input, 3);
    demand.dry_run = fuzz_below(&input, 2);
    line = amgr_control_request(&demand, pool);
    check(line != NULL && line[strlen(line) - 1] == '\n');
    check(read_line(line, strlen(line) - 1, &order, buf, sizeof(buf)) == NULL);
    check(order.retire &&
          order.demand.max_memory_active_bytes ==
              demand.max_memory_active_bytes &&
          order.demand.max_memory_idle_bytes == demand.max_memory_idle_bytes &&
          order.demand.max_time_us == demand.max_time_us &&
          order.demand.max_kills == demand.max_kills &&
          order.demand.dry_run == demand.dry_run);
}

static void check_answer(const amgr_control_order_t *order, apr_pool_t *pool)
{
    fuzz_output_t output = {NULL, 0};
    amgr_control_answer_t answer;
    amgr_sink_t sink;
    char buf[64];
    const char *wrong;
    int is_refused;
    int told;

    config.limits.grace_us = APR_USEC_PER_SEC;
    config.show_requests = fuzz_below(&input, 3);
    amgr_sink_init(&sink, buf, sizeof(buf), fuzz_append, &output);
    told = amgr_control_order_run(NULL, order, &sink);
    check(amgr_sink_finish(&sink) == APR_SUCCESS);
    check(strchr(output.data, '\n') == output.data + output.len - 1);
    wrong =
        amgr_control_parse(output.data, output.len, &answer, &is_refused, pool);
    check(is_refused == (told < 0));
    if (order->retire && told >= 0) {
        check(wrong == NULL && answer.workers == 5);
        check(answer.retirement_count + answer.vetoed_count + answer.unlisted ==
              told);
    }
    free(output.data);
}

static void check_refusal(const char *why, apr_pool_t *pool)
{
    fuzz_output_t output = {NULL, 0};
    amgr_control_answer_t answer;
    amgr_sink_t sink;
    char buf[64];
    int is_refused;

    amgr_sink_init(&sink, buf, sizeof(buf), fuzz_append, &output);
    amgr_control_order_refuse(why, &sink);
    check(amgr_sink_finish(&sink) == APR_SUCCESS);
    check(amgr_control_parse(output.data, output.len, &answer, &is_refused,
                             pool) != NULL &&
          is_refused);
    free(output.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    amgr_control_order_t order;
    const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
    size_t len = end == NULL ? size : (size_t)(end - data);
    char *line = fuzz_text(data, len);
    char buf[128];
    const char *wrong = read_line(line, len, &order, buf, sizeof(buf));

    input.at = data + len;
    input.end = data + size;
    if (wrong == NULL) {
        check_answer(&order, pool);
    }
    else {
        check_refusal(wrong, pool);
    }
    check_request(pool);
    free(line);
    apr_pool_destroy(pool);
    return 0;
}
