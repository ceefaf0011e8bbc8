/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as an order to the supervisor, and as a managed process that an
 * answer tells.  Checked besides memory: what is taken is in range, and written
 * anew reads back as the same; an answer reads back as what was told; a refusal
 * reads back as one.
 */
#include "fuzz.h"

#include <stdio.h>

#include "supervise/order/order_client.h"
#include "supervise/supervisor.h"

static void check_order(const char *line, size_t len)
{
    amgr_order_t order;
    amgr_order_t again;
    char wrong[64];
    char text[AMGR_ORDER_LINE_MAX];
    const char *fault;
    int used;

    memset(&order, 0, sizeof(order));
    fault = amgr_order_read(line, len, &order, wrong, sizeof(wrong));
    if (fault != NULL) {
        check(fault[0] != '\0');
        check_line_text(fault);
        return;
    }
    check(order.verb >= AMGR_ORDER_SHUTDOWN && order.verb < AMGR_VERB_COUNT);
    check(memchr(order.name, '\0', sizeof(order.name)) != NULL);
    check(order.id >= 0);
    check(order.wait_ms >= 0 && order.wait_ms <= AMGR_ORDER_WAIT_MAX_MS);
    check((order.verb == AMGR_ORDER_SHUTDOWN) ==
          (order.name[0] == '\0' && order.id == 0));
    check(order.name[0] == '\0' || order.id == 0);
    used = snprintf(text, sizeof(text), "{\"verb\":\"%s\",\"wait_ms\":%d",
                    amgr_order_word(order.verb), order.wait_ms);
    if (order.name[0] != '\0') {
        used += snprintf(text + used, sizeof(text) - (size_t)used,
                         ",\"name\":\"%s\"", order.name);
    }
    else if (order.id > 0) {
        used += snprintf(text + used, sizeof(text) - (size_t)used, ",\"id\":%d",
                         order.id);
    }
    used += snprintf(text + used, sizeof(text) - (size_t)used, "}");
    memset(&again, 0, sizeof(again));
    check(amgr_order_read(text, (apr_size_t)used, &again, wrong,
                          sizeof(wrong)) == NULL);
    check(again.verb == order.verb && again.id == order.id &&
          again.wait_ms == order.wait_ms &&
          strcmp(again.name, order.name) == 0);
}

/* Beyond a repaired byte and a cut one text is the other. */
static int is_plain(const char *text)
{
    return text[strspn(text, "abcdefghijklmnopqrstuvwxyz _.-\\\"<&\t")] == '\0';
}

static void check_told(const amgr_managed_t *process, int already, int settled)
{
    char line[AMGR_ORDER_ANSWER_MAX];
    amgr_order_answer_t answer;
    amgr_sink_t sink;
    size_t len;

    amgr_sink_init_text(&sink, line, sizeof(line));
    amgr_order_tell(process, already, settled, &sink);
    check(sink.status == APR_SUCCESS);
    len = strlen(amgr_sink_text(&sink));
    check(len > 0 && line[len - 1] == '\n' &&
          memchr(line, '\n', len - 1) == NULL);
    check(amgr_order_answer_parse(line, len - 1, &answer) == APR_SUCCESS);
    check(answer.ok && answer.status == 200);
    check(!answer.already == !already && !answer.settled == !settled);
    check(answer.id == process->id && answer.state == process->state &&
          answer.want == process->want && !answer.ready == !process->ready);
    check(!is_plain(process->name) || strcmp(answer.name, process->name) == 0);
    check(!is_plain(process->reason) ||
          strcmp(answer.reason, process->reason) == 0);
    if (amgr_managed_is_running(process)) {
        check(answer.pid == process->pid);
    }
}

static void check_refused(int status, const char *why)
{
    char line[AMGR_ORDER_ANSWER_MAX];
    amgr_order_answer_t answer;
    amgr_sink_t sink;
    size_t len;

    amgr_sink_init_text(&sink, line, sizeof(line));
    amgr_order_refuse(status, why, &sink);
    check(sink.status == APR_SUCCESS);
    len = strlen(amgr_sink_text(&sink));
    check(amgr_order_answer_parse(line, len - 1, &answer) == APR_SUCCESS);
    check(!answer.ok && answer.status == status);
}

/* A row as the supervisor may have one. */
static void invent(fuzz_t *in, amgr_managed_table_t *table)
{
    amgr_managed_t *process = &table->processes[0];

    memset(table, 0, sizeof(*table));
    table->count = 1;
    process->state = (apr_int32_t)fuzz_bits(in, 1);
    process->want = (apr_int32_t)fuzz_bits(in, 1);
    process->ready = (apr_int32_t)fuzz_bits(in, 1);
    process->pid = (pid_t)fuzz_bits(in, 4);
    process->exit_known = (apr_int32_t)fuzz_bits(in, 1);
    process->exit_code = (apr_int32_t)fuzz_bits(in, 1);
    process->exit_signal = (apr_int32_t)fuzz_bits(in, 1);
    fuzz_bytes(in, process->name, sizeof(process->name));
    fuzz_bytes(in, process->reason, sizeof(process->reason));
    amgr_managed_mend(table);
    process->id = 1 + (int)(fuzz_bits(in, 2) % AMGR_MANAGED_MAX);
    process->exit_signal &= 63;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static amgr_managed_table_t table;
    fuzz_t in = {data, data + size};
    char why[128];

    check_order((const char *)data, size);
    invent(&in, &table);
    check_told(&table.processes[0], fuzz_below(&in, 2), fuzz_below(&in, 2));
    fuzz_bytes(&in, why, sizeof(why) - 1);
    why[sizeof(why) - 1] = '\0';
    check_refused(400 + fuzz_below(&in, 104), why);
    return 0;
}
