/* SPDX-License-Identifier: Apache-2.0
 *
 * The two formats of metrics: Prometheus's text 0.0.4, and OpenMetrics 1.0.
 * What differs is the heads of families and the end.
 */
#include <math.h>
#include <string.h>

#include "base/escape.h"
#include "render/metric.h"

#define PREFIX "apache_manager_"
#define PREFIX_COMPAT "apache_"
#define MICRO 1000000

struct amgr_metric_out_t {
    amgr_sink_t *sink;
    const amgr_metric_t *metric;
    int open_metrics;
    int has_head;
};

static void put_name(const amgr_metric_out_t *out)
{
    amgr_sink_puts(out->sink, out->metric->compat ? PREFIX_COMPAT : PREFIX);
    amgr_sink_puts(out->sink, out->metric->name);
}

static const char *type_word(int type)
{
    static const char *const words[AMGR_METRIC_TYPE_COUNT] = {
        [AMGR_METRIC_GAUGE] = "gauge",
        [AMGR_METRIC_COUNTER] = "counter",
        [AMGR_METRIC_HISTOGRAM] = "histogram",
    };

    return words[type];
}

/* In OpenMetrics a counter's "_total" belongs to the sample alone. */
static void put_head_line(const amgr_metric_out_t *out, const char *keyword,
                          const char *text)
{
    amgr_sink_puts(out->sink, keyword);
    put_name(out);
    if (out->metric->type == AMGR_METRIC_COUNTER && !out->open_metrics) {
        amgr_sink_puts(out->sink, "_total");
    }
    amgr_sink_putc(out->sink, ' ');
    amgr_sink_puts(out->sink, text);
    amgr_sink_putc(out->sink, '\n');
}

static void put_head(amgr_metric_out_t *out)
{
    const amgr_metric_t *metric = out->metric;

    if (out->has_head) {
        return;
    }
    out->has_head = 1;
    if (!out->open_metrics) {
        put_head_line(out, "# HELP ", metric->help);
        put_head_line(out, "# TYPE ", type_word(metric->type));
        return;
    }
    put_head_line(out, "# TYPE ", type_word(metric->type));
    if (metric->unit[0] != '\0') {
        put_head_line(out, "# UNIT ", metric->unit);
    }
    put_head_line(out, "# HELP ", metric->help);
}

/* A decimal without needless zeros; @a point: "1.0" for a whole number. */
static void put_decimal(amgr_sink_t *sink, apr_uint64_t whole,
                        apr_uint32_t micro, int point)
{
    char digits[7] = ".";
    int i;

    amgr_sink_u64(sink, whole);
    if (micro == 0) {
        amgr_sink_puts(sink, point ? ".0" : "");
        return;
    }
    for (i = 6; i > 0; i--) {
        digits[i] = (char)('0' + micro % 10);
        micro /= 10;
    }
    for (i = 7; digits[i - 1] == '0'; i--) {
    }
    amgr_sink_put(sink, digits, (apr_size_t)i);
}

static void put_labels(amgr_sink_t *sink, const amgr_metric_label_t *labels)
{
    const char *before = "{";

    if (labels == NULL || labels->name == NULL) {
        return;
    }
    for (; labels->name != NULL; labels++) {
        amgr_sink_puts(sink, before);
        amgr_sink_puts(sink, labels->name);
        amgr_sink_puts(sink, "=\"");
        amgr_escape_label(sink, labels->value);
        amgr_sink_putc(sink, '"');
        before = ",";
    }
    amgr_sink_putc(sink, '}');
}

/* The one place that writes a sample. */
static void put_sample(amgr_metric_out_t *out,
                       const amgr_metric_label_t *labels, apr_uint64_t whole,
                       apr_uint32_t micro)
{
    put_head(out);
    put_name(out);
    if (out->metric->type == AMGR_METRIC_COUNTER) {
        amgr_sink_puts(out->sink, "_total");
    }
    put_labels(out->sink, labels);
    amgr_sink_putc(out->sink, ' ');
    put_decimal(out->sink, whole, micro, 0);
    amgr_sink_putc(out->sink, '\n');
}

void amgr_metric_put(amgr_metric_out_t *out, const amgr_metric_label_t *labels,
                     apr_uint64_t value)
{
    put_sample(out, labels, value, 0);
}

void amgr_metric_put_micro(amgr_metric_out_t *out,
                           const amgr_metric_label_t *labels,
                           apr_uint64_t value)
{
    put_sample(out, labels, value / MICRO, (apr_uint32_t)(value % MICRO));
}

void amgr_metric_put_double(amgr_metric_out_t *out,
                            const amgr_metric_label_t *labels, double value)
{
    double whole;
    double micro;

    /* Not true of what is not a number. */
    if (!(value >= 0.0 && value < 9e18)) {
        return;
    }
    micro = floor(modf(value, &whole) * MICRO + 0.5);
    if (micro >= MICRO) {
        whole += 1.0;
        micro = 0.0;
    }
    put_sample(out, labels, (apr_uint64_t)whole, (apr_uint32_t)micro);
}

void amgr_metric_put_with(amgr_metric_out_t *out, const char *label,
                          const char *value, apr_uint64_t count)
{
    const amgr_metric_label_t labels[] = {{label, value}, {NULL, NULL}};

    put_sample(out, labels, count, 0);
}

/* The same text in both formats, or a bucket would be two series to whoever
 * reads both. */
static void put_bucket(amgr_metric_out_t *out, apr_uint64_t upper_us,
                       apr_uint64_t count)
{
    put_name(out);
    amgr_sink_puts(out->sink, "_bucket{le=\"");
    if (upper_us == AMGR_UNKNOWN) {
        amgr_sink_puts(out->sink, "+Inf");
    }
    else {
        put_decimal(out->sink, upper_us / MICRO,
                    (apr_uint32_t)(upper_us % MICRO), 1);
    }
    amgr_sink_puts(out->sink, "\"} ");
    amgr_sink_u64(out->sink, count);
    amgr_sink_putc(out->sink, '\n');
}

void amgr_metric_put_histogram(amgr_metric_out_t *out,
                               const amgr_histogram_t *histogram,
                               const amgr_histogram_bounds_t *bounds)
{
    int i;

    put_head(out);
    for (i = 0; i < AMGR_HISTOGRAM_STEPS; i++) {
        put_bucket(out, bounds->upper_us[i],
                   amgr_histogram_count(histogram, i));
    }
    put_bucket(out, AMGR_UNKNOWN,
               amgr_histogram_count(histogram, AMGR_HISTOGRAM_STEPS));
    put_name(out);
    amgr_sink_puts(out->sink, "_sum ");
    put_decimal(out->sink, histogram->sum_us / MICRO,
                (apr_uint32_t)(histogram->sum_us % MICRO), 0);
    amgr_sink_putc(out->sink, '\n');
    put_name(out);
    amgr_sink_puts(out->sink, "_count ");
    amgr_sink_u64(out->sink,
                  amgr_histogram_count(histogram, AMGR_HISTOGRAM_STEPS));
    amgr_sink_putc(out->sink, '\n');
}

static int is_wanted(const amgr_view_t *view, const amgr_metric_t *metric)
{
    switch (view->settings.metrics_names) {
    case AMGR_METRICS_BOTH:
        return 1;
    case AMGR_METRICS_COMPAT:
        return metric->compat;
    default:
        return !metric->compat;
    }
}

static void write_all(const amgr_view_t *view, amgr_sink_t *sink,
                      int open_metrics)
{
    const amgr_server_t *server = &view->snapshot->server;
    amgr_metric_source_t source;
    amgr_metric_out_t out;
    int i;

    source.view = view;
    source.is_known = server->time.wall_us > 0;
    source.has_ticked = view->tick_wall_us != AMGR_NO_TIME;
    amgr_view_count(view, &source.counts);
    out.sink = sink;
    out.open_metrics = open_metrics;
    for (i = 0; i < amgr_metrics_count; i++) {
        if (is_wanted(view, &amgr_metrics[i])) {
            out.metric = &amgr_metrics[i];
            out.has_head = 0;
            out.metric->get(&source, out.metric->which, &out);
        }
    }
    if (open_metrics) {
        amgr_sink_puts(sink, "# EOF\n");
    }
}

void amgr_write_metrics(const amgr_view_t *view, amgr_sink_t *sink)
{
    write_all(view, sink, 0);
}

void amgr_write_openmetrics(const amgr_view_t *view, amgr_sink_t *sink)
{
    write_all(view, sink, 1);
}
