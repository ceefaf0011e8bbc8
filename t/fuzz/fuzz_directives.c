/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as directives of a configuration, a line each, with the sections
 * of groups and of managed processes; what a line begins with says where it
 * stands.  Checked besides memory: what is refused is one sentence that names
 * its directive, and leaves the configuration as it was; whatever is set is in
 * range and stands where it may; sections of requests merge as they should.
 */
#include "directives_httpd.h"

#include "httpd/managed_section.h"
#include "policy/sections.h"
#include "render/view.h"
#include "supervise/spec/spec.h"

/** Of the two that are merged. */
typedef enum within_e { OUTER = 0, INNER, WITHIN_COUNT } within_e;

static apr_pool_t *pool;
static void *vectors[3]; /**< of a module each: this one, which is the first */
static server_rec server;
static amgr_directory_t *directories[WITHIN_COUNT];
static int logged;

void amgr_log(server_rec *s, amgr_log_tag_e tag, int level, apr_status_t rv,
              const char *format, ...)
{
    char line[2048];
    va_list args;

    (void)s;
    (void)tag;
    (void)level;
    (void)rv;
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    check(line[0] != '\0');
    logged++;
}

/* ---- lines -------------------------------------------------------------- */

static char *next_line(fuzz_t *in)
{
    const uint8_t *end = memchr(in->at, '\n', fuzz_left(in));
    size_t len = end == NULL ? fuzz_left(in) : (size_t)(end - in->at);
    char *line = apr_pstrmemdup(pool, (const char *)in->at, len);

    in->at += len + (end != NULL);
    /* httpd takes them for the same, and blanks at both ends away. */
    for (end = (const uint8_t *)line; *end != '\0'; end++) {
        if (apr_isspace(*end)) {
            line[end - (const uint8_t *)line] = ' ';
        }
    }
    line += strspn(line, " ");
    for (len = strlen(line); len > 0 && line[len - 1] == ' '; len--) {
        line[len - 1] = '\0';
    }
    return line;
}

static ap_directive_t *make_node(char *line)
{
    ap_directive_t *node = apr_pcalloc(pool, sizeof(*node));
    size_t len = strcspn(line, " ");

    node->directive = apr_pstrmemdup(pool, line, len);
    node->args = line + len + strspn(line + len, " ");
    node->filename = "fuzz.conf";
    return node;
}

/* Up to the end of the section, or of the input. */
static void read_section(fuzz_t *in, ap_directive_t *section)
{
    ap_directive_t **end = &section->first_child;

    while (fuzz_left(in) > 0) {
        char *line = next_line(in);

        if (line[0] == '<' && line[1] == '/') {
            return;
        }
        if (line[0] != '\0' && line[0] != '#') {
            *end = make_node(line);
            (*end)->parent = section;
            end = &(*end)->next;
        }
    }
}

/* ---- what is said of it ------------------------------------------------- */

static void check_sentence(const char *wrong, const ap_directive_t *node)
{
    check(wrong[0] != '\0');
    check(strchr(wrong, '\n') == NULL);
    /* By the name that the table has, or that the line has. */
    check(strncasecmp(wrong, node->directive, strlen(node->directive)) == 0 ||
          strncmp(wrong, "process ", 8) == 0 ||
          strncmp(wrong, "Manager", 7) == 0);
}

static int is_limit(apr_int64_t value)
{
    return value == AMGR_LIMIT_OFF || value > 0;
}

static void check_section(const amgr_section_t *section)
{
    check(memchr(section->name, '\0', sizeof(section->name)) != NULL);
    check(section->role == AMGR_ROLE_WORKER ||
          section->role == AMGR_ROLE_WSGI || section->role == AMGR_ROLE_DAEMON);
    check(section->ask_signal >= 0 && section->ask_signal < 32);
    check(section->max_memory_active_bytes >= 0);
    check(section->max_memory_idle_bytes >= 0);
    check(section->hard_memory_bytes >= 0 && section->grace_us >= 0);
    check(section->max_lifetime_us.limit >= 0);
    check(section->max_lifetime_us.jitter_percent >= 0 &&
          section->max_lifetime_us.jitter_percent < 100);
}

static void check_limits(const amgr_limits_t *limits)
{
    int i;

    check(is_limit(limits->max_memory_active_bytes));
    check(is_limit(limits->max_memory_idle_bytes));
    check(is_limit(limits->hard_memory_bytes));
    check(is_limit(limits->max_memory_total_bytes));
    check(is_limit(limits->max_time_us) && is_limit(limits->lame_duck_us));
    check(is_limit(limits->max_generation_age_us));
    check(is_limit(limits->max_requests.limit));
    check(is_limit(limits->max_lifetime_us.limit));
    check(limits->max_requests.jitter_percent >= 0 &&
          limits->max_requests.jitter_percent < 100);
    check(limits->hanging_us > 0 && limits->min_age_us > 0);
    check(limits->grace_us > 0 && limits->endless_grace_us > 0);
    check(limits->interval_us >= 100000 &&
          limits->interval_us <= apr_time_from_sec(3600));
    check(limits->storm_count >= 0 && limits->storm_count <= AMGR_STORM_MAX);
    check(limits->storm_window_us > 0);
    check(limits->strikes >= 1 && limits->strikes <= 1000);
    check(limits->min_serving >= 0 && limits->min_serving <= 100000);
    check(limits->metric >= 0 && limits->metric < AMGR_METRIC_COUNT);
    check(limits->dry_run == 0 || limits->dry_run == 1);
    check(limits->max_retiring.value > 0);
    check(limits->max_memory_total_percent >= 0 &&
          limits->max_memory_total_percent <= 100);
    check(limits->section_count >= 0 &&
          limits->section_count <= AMGR_SECTIONS_MAX);
    for (i = 0; i < limits->section_count; i++) {
        check_section(&limits->sections[i]);
        check(amgr_sections_find(limits, limits->sections[i].name,
                                 limits->sections[i].role) ==
              &limits->sections[i]);
    }
}

static void check_config(const amgr_config_t *config)
{
    int i;

    check_limits(&config->limits);
    check(config->section == NULL);
    check(config->data_file == NULL ||
          (!config->data_file_off && config->data_file[0] == '/'));
    check(config->control_socket == NULL ||
          (config->control_socket[0] == '/' &&
           strlen(config->control_socket) < AMGR_SOCKET_PATH_LEN));
    for (i = 0; i < AMGR_COMMAND_EVENT_COUNT; i++) {
        check(config->kill_command[i] == NULL ||
              config->kill_command[i][0][0] == '/');
    }
    check(config->kill_command_timeout_us > 0);
    check(config->show_requests >= 0 &&
          config->show_requests < AMGR_SHOW_COUNT);
    check(config->show_clients >= 0 &&
          config->show_clients < AMGR_CLIENTS_COUNT);
    check(config->metrics_names >= 0 &&
          config->metrics_names < AMGR_METRICS_NAMES_COUNT);
    for (i = 0; config->managed != NULL && i < config->managed->nelts; i++) {
        const amgr_spec_t *spec =
            APR_ARRAY_IDX(config->managed, i, const amgr_spec_t *);

        check(spec->argv != NULL && spec->argv[0][0] == '/');
        check(amgr_spec_equal(spec, spec));
    }
    (void)amgr_config_needs_ticker(config); /* memory alone */
}

static void check_directory(const amgr_directory_t *directory)
{
    check(directory->control >= AMGR_CONTROL_UNSET &&
          directory->control < AMGR_CONTROL_COUNT);
    check((directory->gates & AMGR_GATE_OFF) == 0 ||
          directory->gates == AMGR_GATE_OFF);
    check(is_limit(directory->max_time->budget.max_time_us));
}

static void check_merged(void)
{
    const amgr_directory_t *outer = directories[OUTER];
    const amgr_directory_t *inner = directories[INNER];
    const amgr_directory_t *merged =
        amgr_directory_merge(pool, directories[OUTER], directories[INNER]);

    check_directory(outer);
    check_directory(inner);
    check_directory(merged);
    check(merged->control == (inner->control != AMGR_CONTROL_UNSET
                                  ? inner->control
                                  : outer->control));
    check(merged->gates == (inner->gates != 0 ? inner->gates : outer->gates));
    check(!inner->max_time->is_set || merged->max_time == inner->max_time);
    check(merged->max_time->is_set ==
          (inner->max_time->is_set || outer->max_time->is_set));
}

/* ---- one line, or one section ------------------------------------------- */

/* The first byte of a line says where it stands. */
static char *take_place(char *line, int *out_within)
{
    *out_within = OUTER;
    place = MAIN;
    switch (line[0]) {
    case '%':
        place = VHOST;
        break;
    case '!':
        *out_within = INNER;
        place = LOCATION;
        break;
    case '^':
        place = LIMIT;
        break;
    default:
        return line;
    }
    return line + 1;
}

static void set(amgr_config_t *config, fuzz_t *in)
{
    amgr_config_t before = *config;
    ap_directive_t *node;
    cmd_parms cmd;
    const char *wrong;
    int within;
    char *line = take_place(next_line(in), &within);

    if (line[0] == '\0' || line[0] == '#') {
        return;
    }
    memset(&cmd, 0, sizeof(cmd));
    node = make_node(line);
    if (line[0] == '<') {
        read_section(in, node);
    }
    server.is_virtual = place == VHOST;
    cmd.pool = pool;
    cmd.temp_pool = pool;
    cmd.server = &server;
    cmd.path = place == LOCATION ? (char[]){"/x"} : NULL;
    wrong = set_one(&cmd, directories[within], node);
    check(config->section == NULL);
    if (wrong != NULL) {
        check_sentence(wrong, node);
        check(line[0] == '<' || memcmp(&before, config, sizeof(before)) == 0);
        check(config->managed == before.managed);
    }
    else if (place != MAIN) {
        check(memcmp(&before, config, sizeof(before)) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_t in = {data, data + size};
    amgr_config_t *config;
    int i;

    pool = fuzz_pool();
    config = amgr_config_create(pool, NULL);
    vectors[0] = config;
    memset(&server, 0, sizeof(server));
    server.module_config = (ap_conf_vector_t *)(void *)&vectors[0];
    ap_server_conf = &server;
    apache_manager_module.module_index = 0;
    logged = 0;
    for (i = 0; i < WITHIN_COUNT; i++) {
        directories[i] = amgr_directory_create(pool, NULL);
    }
    while (fuzz_left(&in) > 0) {
        set(config, &in);
    }
    check_config(config);
    check_merged();
    i = amgr_hook_check_config(pool, pool, pool, &server);
    check(i == OK ? logged == 0 : logged == 1);
    apr_pool_destroy(pool);
    return 0;
}
