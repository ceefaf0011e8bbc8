/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of the reader of Apache's configuration, for one another, for
 * their tests and their fuzzer.  Files are read once from the beginning to the
 * end, as httpd reads them: whatever decides what is read at all (Define,
 * LoadModule, ServerRoot, the conditions) takes effect where it stands.
 */
#ifndef AMGR_APACHE_CONFIG_PARTS_H
#define AMGR_APACHE_CONFIG_PARTS_H

#include <apr_hash.h>

#include "base/base.h"
#include "cli/config/apache_config.h"

/* What a configuration may be at most.  A file that includes itself twice is
 * read 2^depth times, so depth alone is no bound. */
#define AMGR_APACHE_MAX_DEPTH 20
#define AMGR_APACHE_MAX_FILES 20000
#define AMGR_APACHE_MAX_FILE_BYTES ((apr_size_t)16 * 1024 * 1024)
#define AMGR_APACHE_MAX_BYTES ((apr_size_t)64 * 1024 * 1024)
#define AMGR_APACHE_MAX_SECTIONS 1000
#define AMGR_APACHE_MAX_LISTENS 1000
#define AMGR_APACHE_MAX_WARNINGS 50

/** The longest word after its variables were put in. */
#define AMGR_APACHE_MAX_WORD 8192

/** A section that is open. */
typedef struct amgr_apache_section_t {
    const char *name; /**< "IfModule" */
    int active;       /**< its lines count */
    /** The path of a <Location>, else NULL. */
    const char *location;
    /** What a <VirtualHost> is for, as it was written, else NULL. */
    const char *hosts;
} amgr_apache_section_t;

/** A SSLEngine line. */
typedef struct amgr_apache_engine_t {
    int port; /**< of its virtual host; 0: any */
    int on;
} amgr_apache_engine_t;

/** One reading of a configuration. */
typedef struct amgr_apache_reader_t {
    amgr_apache_config_t *out;
    apr_pool_t *pool;
    const char *server_root;      /**< for relative paths, absolute */
    apr_hash_t *environment;      /**< of the environment file: over ours */
    apr_hash_t *defines;          /**< value, or amgr_apache_no_value */
    apr_hash_t *modules;          /**< ssl_module, mod_ssl.c */
    apr_array_header_t *sections; /**< of amgr_apache_section_t */
    apr_array_header_t *engines;  /**< of amgr_apache_engine_t */
    int outside;                  /**< how many of them began in other files */
    const char *file;             /**< that is being read */
    int line;                     /**< of it, the first of a continued one */
    int depth;                    /**< of files that include files */
    int files_left;               /**< and directories */
    apr_size_t bytes_left;
    int is_cut;            /**< the end of what may be read was said */
    int status_in_host;    /**< status_path is of one virtual host only */
    int manager_in_host;   /**< manager_path, the same */
    const char *pid_file;  /**< PidFile, as it was written */
    const char *data_file; /**< ManagerDataFile, the same */
} amgr_apache_reader_t;

/** The value of a variable that is defined without one. */
extern const char amgr_apache_no_value[];

/** Begin reading: empty results, the modules that are always there. */
void amgr_apache_reader_init(amgr_apache_reader_t *reader,
                             const char *server_root, amgr_apache_config_t *out,
                             apr_pool_t *pool);

/** Tell the paths that are relative to what other lines say, when all were
 * read. */
void amgr_apache_reader_finish(amgr_apache_reader_t *reader);

/** A warning about the line that is being read; what a line says must come by
 * amgr_apache_shown(). */
void amgr_apache_warn(amgr_apache_reader_t *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** The same of a Listen line. */
void amgr_apache_warn_listen(amgr_apache_reader_t *reader, const char *where);

/** @a text for a warning: escaped, and cut when it is long. */
const char *amgr_apache_shown(amgr_apache_reader_t *reader, const char *text);

/** The text of one file or environment file, @a text[@a length] being NUL: it
 * is taken apart where it is, and nothing points into it afterwards. */
void amgr_apache_read_text(amgr_apache_reader_t *reader, char *text,
                           apr_size_t length);
void amgr_apache_read_environment(amgr_apache_reader_t *reader, char *text,
                                  apr_size_t length);

/**
 * The next line of *at, which ends at @a end: continued lines are one, blanks
 * around it are gone, a NUL ends it.  NULL at the end.  *out_lines: how many
 * lines of the file it was.
 */
char *amgr_apache_next_line(char **at, char *end, int *out_lines);

/** The next word of *at as httpd takes it, quotes and escapes undone, its
 * variables not put in yet.  "" at the end. */
char *amgr_apache_next_word(const char **at, apr_pool_t *pool);

/** The same with its variables put in.  NULL, and a warning, where one is not
 * defined or the word is too long. */
const char *amgr_apache_next_value(amgr_apache_reader_t *reader,
                                   const char **at);

/** What ${NAME} is, or NULL. */
const char *amgr_apache_variable(const amgr_apache_reader_t *reader,
                                 const char *name);

/** @a path below @a dir unless it is absolute; without "." and "..". */
const char *amgr_apache_path(const char *dir, const char *path,
                             apr_pool_t *pool);

/** A section begins or ends: @a name without brackets, @a args up to ">". */
void amgr_apache_section_open(amgr_apache_reader_t *reader, const char *name,
                              const char *args);
void amgr_apache_section_close(amgr_apache_reader_t *reader, const char *name);

/** Whether the lines that are being read count. */
int amgr_apache_is_active(const amgr_apache_reader_t *reader);

/** A line outside of brackets. */
void amgr_apache_directive(amgr_apache_reader_t *reader, const char *name,
                           const char *args);

/** Include @a path, absolute: a file, a directory or a pattern. */
void amgr_apache_include(amgr_apache_reader_t *reader, const char *path,
                         int optional);

/**
 * Read a file whole into *out_text (free() it), with a NUL after its end.
 * Nothing but regular files is opened.  APR_EINVAL: it is none; APR_ENOSPC: it
 * has more than @a max bytes.
 */
apr_status_t amgr_apache_slurp(const char *path, apr_size_t max,
                               char **out_text, apr_size_t *out_length);

/** Why that failed, in words, of which some are in @a buf. */
const char *amgr_apache_why(apr_status_t status, char *buf, apr_size_t size);

#define AMGR_APACHE_WHY_LEN 120

#endif
