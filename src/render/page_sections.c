/* SPDX-License-Identifier: Apache-2.0
 *
 * The page's table of groups with limits of their own: what is in force for
 * each, whether its section says so or the server's configuration.
 */
#include "render/page.h"

#include "model/words.h"

static void put_size_cell(amgr_sink_t *sink, apr_int64_t limit_bytes)
{
    char text[AMGR_UNITS_LEN];

    amgr_sink_puts(sink, "<td class=\"num\">");
    amgr_sink_puts(sink,
                   amgr_size_format_exact(limit_bytes, text, sizeof(text)));
    amgr_sink_puts(sink, "</td>");
}

static void put_section(amgr_sink_t *sink, const amgr_limits_t *limits,
                        int index)
{
    const amgr_section_t *section = amgr_sections_get(limits, index);
    const amgr_jittered_t *lifetime = amgr_sections_lifetime(limits, index);
    const char *signal = amgr_sections_signal_word(
        amgr_sections_ask_signal(limits, section->role, index));
    char text[AMGR_UNITS_LEN];

    amgr_sink_puts(sink, "<tr><th scope=\"row\">");
    amgr_page_text(sink, section->name);
    amgr_sink_puts(sink, "</th><td>");
    amgr_sink_puts(sink, amgr_role_word(section->role));
    amgr_sink_puts(sink, "</td>");
    put_size_cell(sink, amgr_sections_active_bytes(limits, index));
    put_size_cell(sink, section->role == AMGR_ROLE_WORKER
                            ? amgr_sections_idle_bytes(limits, index)
                            : AMGR_LIMIT_OFF);
    put_size_cell(sink, amgr_sections_hard_bytes(limits, index));
    amgr_sink_puts(sink, "<td class=\"num\">");
    amgr_sink_puts(
        sink, amgr_duration_format_exact(lifetime->limit, text, sizeof(text)));
    if (lifetime->limit != AMGR_LIMIT_OFF) {
        amgr_sink_puts(sink, " -");
        amgr_sink_i64(sink, lifetime->jitter_percent);
        amgr_sink_putc(sink, '%');
    }
    amgr_sink_puts(sink, "</td><td class=\"num\">");
    amgr_sink_puts(
        sink, amgr_duration_format_exact(amgr_sections_grace_us(limits, index),
                                         text, sizeof(text)));
    amgr_sink_puts(sink, "</td><td>");
    amgr_sink_puts(sink, signal[0] != '\0' ? signal : AMGR_PAGE_NA);
    amgr_sink_puts(sink, "</td></tr>\n");
}

void amgr_page_sections(const amgr_view_t *view, amgr_sink_t *sink)
{
    const amgr_limits_t *limits = &view->config->limits;
    int i;

    if (limits->section_count <= 0) {
        return;
    }
    amgr_page_begin_table(sink, "Groups with limits of their own",
                          "Group|Role|#MaxMemoryActive|#MaxMemoryIdle|"
                          "#HardMemory|#MaxLifetime|#GracePeriod|AskSignal");
    for (i = 1; amgr_sections_get(limits, i) != NULL; i++) {
        put_section(sink, limits, i);
    }
    amgr_page_end_table(sink);
}
