/* SPDX-License-Identifier: Apache-2.0
 *
 * The directives of Apache's configuration that are heeded; all others are
 * passed over.
 */
#include "cli/config/apache_config_parts.h"

#include <apr_lib.h>
#include <apr_network_io.h>
#include <apr_strings.h>
#include <string.h>
#include <strings.h>

#include "base/units.h"

/* What is linked into httpd itself wherever it comes from a distribution. */
static const char *const built_in[] = {
    "core", "so", "http", "watchdog", "log_config", "logio", "version", "unixd",
};

/** @a args is the rest of the line. */
typedef void directive_fn(amgr_apache_reader_t *reader, const char *args);

/* A module is asked for by its own name, or by that of its main source. */
static void add_module(amgr_apache_reader_t *reader, const char *name)
{
    static const char is_there[] = "";

    apr_hash_set(reader->modules,
                 apr_pstrcat(reader->pool, name, "_module", NULL),
                 APR_HASH_KEY_STRING, is_there);
    apr_hash_set(reader->modules,
                 apr_pstrcat(reader->pool, "mod_", name, ".c", NULL),
                 APR_HASH_KEY_STRING, is_there);
    if (strncmp(name, "mpm_", 4) == 0) {
        apr_hash_set(reader->modules,
                     apr_pstrcat(reader->pool, name + 4, ".c", NULL),
                     APR_HASH_KEY_STRING, is_there);
    }
}

void amgr_apache_reader_init(amgr_apache_reader_t *reader,
                             const char *server_root, amgr_apache_config_t *out,
                             apr_pool_t *pool)
{
    apr_size_t i;

    memset(out, 0, sizeof(*out));
    out->listens = apr_array_make(pool, 4, sizeof(amgr_listen_t));
    out->bad_listens = apr_array_make(pool, 1, sizeof(const char *));
    out->warnings = apr_array_make(pool, 4, sizeof(const char *));
    memset(reader, 0, sizeof(*reader));
    reader->out = out;
    reader->pool = pool;
    reader->server_root = server_root;
    reader->environment = apr_hash_make(pool);
    reader->defines = apr_hash_make(pool);
    reader->modules = apr_hash_make(pool);
    reader->engines = apr_array_make(pool, 4, sizeof(amgr_apache_engine_t));
    reader->sections = apr_array_make(pool, 8, sizeof(amgr_apache_section_t));
    reader->files_left = AMGR_APACHE_MAX_FILES;
    reader->bytes_left = AMGR_APACHE_MAX_BYTES;
    for (i = 0; i < AMGR_COUNT(built_in); i++) {
        add_module(reader, built_in[i]);
    }
    apr_hash_set(reader->modules, "core.c", APR_HASH_KEY_STRING, "");
    apr_hash_set(reader->modules, "http_core.c", APR_HASH_KEY_STRING, "");
}

/* What the virtual hosts of this port say, or of any (0); -1: nothing. */
static int engine_of(const amgr_apache_reader_t *reader, int port)
{
    int on = -1;
    int i;

    for (i = 0; i < reader->engines->nelts; i++) {
        const amgr_apache_engine_t *engine =
            &APR_ARRAY_IDX(reader->engines, i, amgr_apache_engine_t);

        if (engine->port == port && engine->on > on) {
            on = engine->on;
        }
    }
    return on;
}

static void settle_tls(amgr_apache_reader_t *reader)
{
    const apr_array_header_t *listens = reader->out->listens;
    int i;

    for (i = 0; i < listens->nelts; i++) {
        amgr_listen_t *listen = &APR_ARRAY_IDX(listens, i, amgr_listen_t);
        int on = engine_of(reader, listen->port);

        on = on < 0 ? engine_of(reader, 0) : on;
        listen->tls = on < 0 ? listen->tls : on;
    }
}

void amgr_apache_reader_finish(amgr_apache_reader_t *reader)
{
    amgr_apache_config_t *out = reader->out;

    reader->line = 0;
    settle_tls(reader);
    if (reader->pid_file != NULL) {
        out->pid_file = amgr_apache_path(reader->server_root, reader->pid_file,
                                         reader->pool);
    }
    if (reader->data_file == NULL) {
        return;
    }
    if (reader->data_file[0] != '/' && out->runtime_dir == NULL) {
        amgr_apache_warn(reader,
                         "ManagerDataFile is below a runtime directory "
                         "that is not named: there is no DefaultRuntimeDir");
        return;
    }
    out->data_file =
        amgr_apache_path(out->runtime_dir, reader->data_file, reader->pool);
}

static void set_define(amgr_apache_reader_t *reader, const char *args)
{
    const char *name = amgr_apache_next_value(reader, &args);
    const char *value = amgr_apache_no_value;

    if (*args != '\0') {
        value = amgr_apache_next_value(reader, &args);
    }
    if (name != NULL && *name != '\0' && strchr(name, ':') == NULL) {
        apr_hash_set(reader->defines, name, APR_HASH_KEY_STRING,
                     value == NULL ? amgr_apache_no_value : value);
    }
}

static void unset_define(amgr_apache_reader_t *reader, const char *args)
{
    const char *name = amgr_apache_next_value(reader, &args);

    if (name != NULL) {
        apr_hash_set(reader->defines, name, APR_HASH_KEY_STRING, NULL);
    }
}

/* LoadModule NAME_module FILE; the file's name tells its source where the two
 * differ. */
static void load_module(amgr_apache_reader_t *reader, const char *args)
{
    const char *module = amgr_apache_next_value(reader, &args);
    const char *file = amgr_apache_next_value(reader, &args);
    apr_size_t length;

    if (module == NULL || file == NULL) {
        return;
    }
    length = strlen(module);
    if (length > 7 && strcmp(module + length - 7, "_module") == 0) {
        add_module(reader, apr_pstrmemdup(reader->pool, module, length - 7));
    }
    file = apr_filepath_name_get(file);
    length = strlen(file);
    if (length > 7 && strncmp(file, "mod_", 4) == 0 &&
        strcmp(file + length - 3, ".so") == 0) {
        apr_hash_set(
            reader->modules,
            apr_psprintf(reader->pool, "%.*s.c", (int)length - 3, file),
            APR_HASH_KEY_STRING, "");
    }
}

static void set_server_root(amgr_apache_reader_t *reader, const char *args)
{
    const char *path = amgr_apache_next_value(reader, &args);

    if (path != NULL && path[0] == '/') {
        reader->server_root = amgr_apache_path("/", path, reader->pool);
    }
}

static void include_any(amgr_apache_reader_t *reader, const char *args,
                        int optional)
{
    const char *path = amgr_apache_next_value(reader, &args);

    if (path != NULL && *path != '\0') {
        amgr_apache_include(
            reader, amgr_apache_path(reader->server_root, path, reader->pool),
            optional);
    }
}

static void include_there(amgr_apache_reader_t *reader, const char *args)
{
    include_any(reader, args, 0);
}

static void include_optional(amgr_apache_reader_t *reader, const char *args)
{
    include_any(reader, args, 1);
}

/* Once for what is the same: any address of IPv6 takes IPv4 too. */
static void add_listen(amgr_apache_reader_t *reader, const char *address,
                       apr_uint16_t port, int tls)
{
    apr_array_header_t *listens = reader->out->listens;
    amgr_listen_t *listen;
    int i;

    for (i = 0; i < listens->nelts; i++) {
        listen = &APR_ARRAY_IDX(listens, i, amgr_listen_t);
        if (listen->port != port) {
            continue;
        }
        if (strcmp(listen->address, address) == 0 ||
            (strcmp(address, "::1") == 0 &&
             strcmp(listen->address, "127.0.0.1") == 0)) {
            return;
        }
        if (strcmp(address, "127.0.0.1") == 0 &&
            strcmp(listen->address, "::1") == 0) {
            listen->address = address;
            return;
        }
    }
    if (listens->nelts >= AMGR_APACHE_MAX_LISTENS) {
        amgr_apache_warn(reader, "more than %d addresses are not read",
                         AMGR_APACHE_MAX_LISTENS);
        return;
    }
    listen = apr_array_push(listens);
    listen->address = address;
    listen->port = port;
    listen->tls = tls;
    listen->file = reader->file;
}

/* What may stand in a URL as it is: a name, or an address with its scope. */
static int is_host(const char *host)
{
    return *host != '\0' &&
           host[strspn(host, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrs"
                             "tuvwxyz0123456789.-_:%")] == '\0';
}

static void set_listen(amgr_apache_reader_t *reader, const char *args)
{
    const char *line = args;
    const char *where = amgr_apache_next_value(reader, &args);
    const char *protocol = amgr_apache_next_value(reader, &args);
    char *host = NULL;
    char *scope = NULL;
    apr_port_t port = 0;

    if (where == NULL || protocol == NULL) {
        amgr_apache_warn_listen(reader, line);
        return;
    }
    if (strncasecmp(where, "unix:", 5) == 0) {
        return;
    }
    if (apr_parse_addr_port(&host, &scope, &port, where, reader->pool) !=
            APR_SUCCESS ||
        port == 0 ||
        (host != NULL && strcmp(host, "*") != 0 && !is_host(host)) ||
        (scope != NULL && !is_host(scope))) {
        amgr_apache_warn_listen(reader, where);
        return;
    }
    if (host == NULL || strcmp(host, "*") == 0 ||
        strcmp(host, "0.0.0.0") == 0) {
        host = apr_pstrdup(reader->pool, "127.0.0.1");
    }
    else if (strcmp(host, "::") == 0) {
        host = apr_pstrdup(reader->pool, "::1");
    }
    else if (scope != NULL) {
        host = apr_pstrcat(reader->pool, host, "%", scope, NULL);
    }
    add_listen(reader, host, port,
               *protocol == '\0' ? port == 443
                                 : strcasecmp(protocol, "https") == 0);
}

static void set_runtime_dir(amgr_apache_reader_t *reader, const char *args)
{
    const char *path = amgr_apache_next_value(reader, &args);

    if (path != NULL && *path != '\0') {
        reader->out->runtime_dir =
            amgr_apache_path(reader->server_root, path, reader->pool);
    }
}

static void set_pid_file(amgr_apache_reader_t *reader, const char *args)
{
    const char *path = amgr_apache_next_value(reader, &args);

    if (path != NULL && *path != '\0') {
        reader->pid_file = path;
    }
}

static void set_data_file(amgr_apache_reader_t *reader, const char *args)
{
    const char *path = amgr_apache_next_value(reader, &args);

    if (path != NULL && *path != '\0') {
        reader->out->data_file_off = strcasecmp(path, "Off") == 0;
        reader->data_file = reader->out->data_file_off ? NULL : path;
    }
}

/* The first place with the handler; one of the whole server before one of a
 * virtual host, which only requests for that host find. */
static void remember_place(const char **place, int *in_host, const char *path,
                           int is_in_host)
{
    if (*place == NULL || (*in_host && !is_in_host)) {
        *place = path;
        *in_host = is_in_host;
    }
}

static void set_handler(amgr_apache_reader_t *reader, const char *args)
{
    const char *handler = amgr_apache_next_value(reader, &args);
    const char *path = NULL;
    int is_in_host = 0;
    int i;

    for (i = 0; i < reader->sections->nelts; i++) {
        const amgr_apache_section_t *open =
            &APR_ARRAY_IDX(reader->sections, i, amgr_apache_section_t);

        is_in_host |= strcasecmp(open->name, "VirtualHost") == 0;
        path = open->location != NULL ? open->location : path;
    }
    if (handler == NULL || path == NULL) {
        return;
    }
    if (strcasecmp(handler, "manager-status") == 0) {
        remember_place(&reader->out->manager_path, &reader->manager_in_host,
                       path, is_in_host);
    }
    else if (strcasecmp(handler, "server-status") == 0) {
        remember_place(&reader->out->status_path, &reader->status_in_host, path,
                       is_in_host);
    }
}

static void add_engine(amgr_apache_reader_t *reader, int port, int on)
{
    amgr_apache_engine_t *engine;

    if (reader->engines->nelts < AMGR_APACHE_MAX_LISTENS) {
        engine = apr_array_push(reader->engines);
        engine->port = port;
        engine->on = on;
    }
}

/* The port of "*:443", "[::1]:443", "host:443" or "host"; 0: any. */
static int port_of_host(const char *where)
{
    const char *colon = strrchr(where, ':');
    int port = 0;

    if (colon == NULL ||
        amgr_count_parse(colon + 1, 1, APR_UINT16_MAX, &port) != NULL) {
        return 0;
    }
    return port;
}

static void set_engine(amgr_apache_reader_t *reader, const char *args)
{
    const char *value = amgr_apache_next_value(reader, &args);
    const char *hosts = NULL;
    int on;
    int i;

    /* With "optional" both are spoken. */
    if (value == NULL ||
        (strcasecmp(value, "on") != 0 && strcasecmp(value, "off") != 0)) {
        return;
    }
    on = strcasecmp(value, "on") == 0;
    for (i = 0; i < reader->sections->nelts && hosts == NULL; i++) {
        hosts = APR_ARRAY_IDX(reader->sections, i, amgr_apache_section_t).hosts;
    }
    if (hosts == NULL || *hosts == '\0') {
        add_engine(reader, 0, on);
        return;
    }
    while (*hosts != '\0') {
        const char *where = amgr_apache_next_value(reader, &hosts);

        if (where == NULL) {
            return;
        }
        add_engine(reader, port_of_host(where), on);
    }
}

static void use_macro(amgr_apache_reader_t *reader, const char *args)
{
    amgr_apache_warn(
        reader, "what Use %s stands for is not read",
        amgr_apache_shown(reader, amgr_apache_next_word(&args, reader->pool)));
}

static const struct {
    const char *name;
    directive_fn *obey;
} directives[] = {
    {"DefaultRuntimeDir", set_runtime_dir},
    {"Define", set_define},
    {"Include", include_there},
    {"IncludeOptional", include_optional},
    {"Listen", set_listen},
    {"LoadModule", load_module},
    {"ManagerDataFile", set_data_file},
    {"PidFile", set_pid_file},
    {"SSLEngine", set_engine},
    {"ServerRoot", set_server_root},
    {"SetHandler", set_handler},
    {"UnDefine", unset_define},
    {"Use", use_macro},
};

void amgr_apache_directive(amgr_apache_reader_t *reader, const char *name,
                           const char *args)
{
    apr_size_t i;

    for (i = 0; i < AMGR_COUNT(directives); i++) {
        if (strcasecmp(name, directives[i].name) == 0) {
            directives[i].obey(reader, args);
            return;
        }
    }
}
