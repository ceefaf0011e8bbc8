/* SPDX-License-Identifier: Apache-2.0
 *
 * Apache's configuration as distributions lay it out, and as nobody should:
 * trees of files in a directory of their own, read as a whole.
 */
#include "config_tree.h"

#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534

static void put_debian(const tree_t *tree, const char *dir)
{
    static const char *const files[][2] = {
        {"apache2.conf",
         "DefaultRuntimeDir ${APACHE_RUN_DIR}\n"
         "PidFile ${APACHE_PID_FILE}\n"
         "Timeout 300\n"
         "User ${APACHE_RUN_USER}\n"
         "IncludeOptional mods-enabled/*.load\n"
         "IncludeOptional mods-enabled/*.conf\n"
         "Include ports.conf\n"
         "<Directory />\n\tRequire all denied\n</Directory>\n"
         "<FilesMatch \"^\\.ht\">\n\tRequire all denied\n</FilesMatch>\n"
         "LogFormat \"%h \\\"%r\\\" %>s\" common\n"
         "IncludeOptional conf-enabled/*.conf\n"
         "IncludeOptional sites-enabled/*.conf\n"},
        {"envvars",
         "# envvars - default environment variables for apache2ctl\n"
         "unset HOME\n"
         "if [ \"${APACHE_CONFDIR##@/etc/apache2-}\" != "
         "\"${APACHE_CONFDIR}\" ] ; then\n"
         "\tSUFFIX=\"-${APACHE_CONFDIR##@/etc/apache2-}\"\n"
         "else\n"
         "\tSUFFIX=\n"
         "fi\n"
         "export APACHE_RUN_USER=www-data\n"
         "export APACHE_PID_FILE=/var/run/apache2$SUFFIX/apache2.pid\n"
         "export APACHE_RUN_DIR=/var/run/apache2$SUFFIX\n"
         "export APACHE_LOG_DIR=/var/log/apache2$SUFFIX\n"
         "export LANG=C\n"
         "export LANG\n"
         "#export APACHE_ARGUMENTS=''\n"},
        {"ports.conf",
         "# If you just change the port\n"
         "Listen 80\n\n"
         "<IfModule ssl_module>\n\tListen 443\n</IfModule>\n\n"
         "<IfModule mod_gnutls.c>\n\tListen 8443 https\n</IfModule>\n"},
        {"mods-available/ssl.load",
         "# Depends: setenvif mime socache_shmcb\n"
         "LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so\n"},
        {"mods-available/status.load",
         "LoadModule status_module /usr/lib/apache2/modules/mod_status.so\n"},
        {"mods-available/status.conf", "<IfModule mod_status.c>\n"
                                       "\t<Location /server-status>\n"
                                       "\t\tSetHandler server-status\n"
                                       "\t\tRequire local\n"
                                       "\t</Location>\n"
                                       "\tExtendedStatus On\n"
                                       "</IfModule>\n"},
        {"mods-available/apache_manager.conf",
         "<Location \"/manager-status\">\n"
         "    SetHandler manager-status\n"
         "</Location>\n"
         "ManagerDataFile apache-manager.txt\n"},
        {"sites-enabled/000-default.conf",
         "<VirtualHost *:80>\n\tDocumentRoot /var/www/html\n"
         "\tErrorLog ${APACHE_LOG_DIR}/error.log\n</VirtualHost>\n"},
        {"conf-enabled/.hidden.conf", "Listen 99\n"},
        {"conf-enabled/other.txt", "Listen 98\n"},
    };
    static const char *const enabled[] = {"ssl.load", "status.load",
                                          "status.conf", "apache_manager.conf"};
    apr_size_t i;

    for (i = 0; i < AMGR_COUNT(files); i++) {
        put(tree, apr_pstrcat(tree->pool, dir, "/", files[i][0], NULL),
            files[i][1]);
    }
    put(tree, apr_pstrcat(tree->pool, dir, "/mods-enabled/x.txt", NULL), "");
    for (i = 0; i < AMGR_COUNT(enabled); i++) {
        assert_int_equal(
            0,
            symlink(
                apr_pstrcat(tree->pool, "../mods-available/", enabled[i], NULL),
                below(tree, apr_pstrcat(tree->pool, dir, "/mods-enabled/",
                                        enabled[i], NULL))));
    }
}

static void debian(void **state)
{
    tree_t *tree = *state;

    put_debian(tree, "etc/apache2");
    read_tree(tree, "etc/apache2/apache2.conf");
    assert_string_equal(warnings(tree), "");
    assert_string_equal(listens(tree), "127.0.0.1 80, 127.0.0.1 443 tls");
    assert_string_equal(tree->config.pid_file, "/var/run/apache2/apache2.pid");
    assert_string_equal(tree->config.runtime_dir, "/var/run/apache2");
    assert_string_equal(tree->config.data_file,
                        "/var/run/apache2/apache-manager.txt");
    assert_string_equal(tree->config.status_path, "/server-status");
    assert_string_equal(tree->config.manager_path, "/manager-status");
    assert_string_equal(tree->config.file,
                        below(tree, "etc/apache2/apache2.conf"));
}

static void debian_second_instance(void **state)
{
    tree_t *tree = *state;

    put_debian(tree, "etc/apache2-two");
    setenv("APACHE_CONFDIR", below(tree, "etc/apache2-two"), 1);
    assert_null(amgr_apache_config_read(NULL, &tree->config, tree->pool));
    unsetenv("APACHE_CONFDIR");
    assert_string_equal(warnings(tree), "");
    assert_string_equal(tree->config.pid_file,
                        "/var/run/apache2-two/apache2.pid");
}

static void red_hat(void **state)
{
    tree_t *tree = *state;

    put(tree, "etc/httpd/conf/httpd.conf",
        "ServerRoot \"@/etc/httpd\"\n"
        "Listen 80\n"
        "Include conf.modules.d/*.conf\n"
        "<IfModule mime_magic_module>\n    MIMEMagicFile conf/magic\n"
        "</IfModule>\n"
        "IncludeOptional conf.d/*.conf\n");
    put(tree, "etc/httpd/conf.modules.d/00-ssl.conf",
        "LoadModule ssl_module modules/mod_ssl.so\n");
    put(tree, "etc/httpd/conf.d/ssl.conf",
        "Listen 443 https\n<VirtualHost _default_:443>\n"
        "SSLEngine on\n</VirtualHost>\n");
    put(tree, "etc/httpd/conf.d/status.conf",
        "<Location '/st'>\nsethandler \"server-status\"\n</location>\n"
        "PidFile run/httpd.pid\n");
    read_tree(tree, "etc/httpd/conf/httpd.conf");
    assert_string_equal(warnings(tree), "");
    assert_string_equal(listens(tree), "127.0.0.1 80, 127.0.0.1 443 tls");
    assert_string_equal(tree->config.status_path, "/st");
    assert_string_equal(tree->config.pid_file,
                        below(tree, "etc/httpd/run/httpd.pid"));
    assert_null(tree->config.runtime_dir);
    assert_null(tree->config.manager_path);
}

static void variables(void **state)
{
    tree_t *tree = *state;

    setenv("AMGR_TEST_PORT", "83", 1);
    read_text(tree, "Define port 80\n"
                    "Define host 10.0.0.1\n"
                    "Define both ${host}:${port}\n"
                    "Listen ${both}\n"
                    "Listen ${AMGR_TEST_PORT}\n"
                    "Define AMGR_TEST_PORT 84\n"
                    "Listen ${AMGR_TEST_PORT}\n"
                    "UnDefine AMGR_TEST_PORT\n"
                    "Listen ${AMGR_TEST_PORT}5\n"
                    "Listen ${unknown}\n"
                    "Listen $both\n"
                    "ServerRoot /srv/${host}/\n"
                    "PidFile ../x/${port}.pid\n");
    unsetenv("AMGR_TEST_PORT");
    assert_string_equal(listens(tree),
                        "10.0.0.1 80, 127.0.0.1 83, 127.0.0.1 84, "
                        "127.0.0.1 835");
    assert_string_equal(warnings(tree),
                        "/httpd.conf:10: ${unknown} is not defined\n"
                        "/httpd.conf:10: Listen '${unknown}' has no address "
                        "and port\n"
                        "/httpd.conf:11: Listen '$both' has no address and "
                        "port");
    assert_string_equal(tree->config.pid_file, "/srv/x/80.pid");
}

static void includes(void **state)
{
    tree_t *tree = *state;

    put(tree, "httpd.conf",
        "Include d\n"
        "Include @/one.conf\n"
        "IncludeOptional none.conf none/*.conf\n"
        "IncludeOptional */p[12].conf\n"
        "Include missing.conf\n"
        "Include /dev/null\n");
    put(tree, "d/b.conf", "Listen 2\n");
    put(tree, "d/a.conf", "Listen 1\n");
    put(tree, "d/c/x", "Listen 3\n");
    put(tree, "one.conf", "Include two.conf\nListen 5\n");
    put(tree, "two.conf", "Listen 4");
    put(tree, "e/p2.conf", "Listen 7\n");
    put(tree, "d-e/p1.conf", "Listen 6\n");
    put(tree, "e/p3.conf", "Listen 8\n");
    read_tree(tree, "httpd.conf");
    assert_string_equal(listens(tree), "127.0.0.1 1, 127.0.0.1 2, 127.0.0.1 3, "
                                       "127.0.0.1 4, 127.0.0.1 5, 127.0.0.1 6, "
                                       "127.0.0.1 7");
    assert_string_equal(warnings(tree),
                        "/httpd.conf:5: /missing.conf is not there\n"
                        "/httpd.conf:6: /dev/null is not read: not a regular "
                        "file");
}

static void deep_sections(void **state)
{
    tree_t *tree = *state;
    char *text = apr_palloc(tree->pool, 4 * 5000 + 1);
    int i;

    for (i = 0; i < 5000; i++) {
        memcpy(text + 4 * i, "<x>\n", 4);
    }
    text[4 * i] = '\0';
    put(tree, "deep.conf", text);
    read_text(tree, "Listen 1\nInclude deep.conf\nListen 2\n");
    assert_string_equal(listens(tree), "127.0.0.1 1, 127.0.0.1 2");
    assert_string_equal(APR_ARRAY_IDX(tree->config.warnings, 0, const char *),
                        apr_pstrcat(tree->pool, below(tree, "deep.conf"),
                                    ":1001: sections lie more than 1000 deep: "
                                    "the rest of the file is not read",
                                    NULL));
}

/* None of it may last, take all memory or wait. */
static void loops(void **state)
{
    tree_t *tree = *state;
    char *long_word = apr_palloc(tree->pool, 9001);

    put(tree, "httpd.conf",
        "Listen 1\nInclude httpd.conf\n"
        "Include httpd.conf\n");
    read_tree(tree, "httpd.conf");
    assert_string_equal(listens(tree), "127.0.0.1 1");
    assert_true(tree->config.warnings->nelts <= 50);
    assert_non_null(strstr(warnings(tree), "files include files more than"));
    assert_non_null(strstr(warnings(tree), "more lines of the configuration"));

    put(tree, "httpd.conf", "Include d\nListen 2\n");
    put(tree, "d/x", "Listen 1\n");
    assert_int_equal(0, symlink(".", below(tree, "d/l")));
    assert_int_equal(0, symlink(".", below(tree, "d/m")));
    read_tree(tree, "httpd.conf");
    assert_string_equal(listens(tree), "127.0.0.1 1, 127.0.0.1 2");

    memset(long_word, 'x', 9000);
    long_word[9000] = '\0';
    read_text(tree, apr_pstrcat(tree->pool, "Define A ", long_word + 1000,
                                "\nDefine B ${A}${A}\nDefine A ", long_word,
                                "\nListen ${B}\n", NULL));
    assert_string_equal(warnings(tree),
                        "/httpd.conf:2: a word of more than 8191 bytes is not "
                        "read\n"
                        "/httpd.conf:3: a word of more than 8191 bytes is not "
                        "read\n"
                        "/httpd.conf:4: ${B} is not defined");
}

static void relative_main_file(void **state)
{
    tree_t *tree = *state;
    char here[4096];

    put(tree, "conf/httpd.conf", "Include conf/x.conf\nPidFile run/pid\n");
    put(tree, "conf/x.conf", "Listen 1\n");
    assert_non_null(getcwd(here, sizeof(here)));
    assert_int_equal(0, chdir(tree->dir));
    assert_null(
        amgr_apache_config_read("conf/httpd.conf", &tree->config, tree->pool));
    assert_int_equal(0, chdir(here));
    assert_string_equal(listens(tree), "127.0.0.1 1");
    assert_string_equal(warnings(tree), "");
    assert_string_equal(tree->config.file, below(tree, "conf/httpd.conf"));
    assert_string_equal(tree->config.pid_file, below(tree, "run/pid"));
}

static void hostile_files(void **state)
{
    tree_t *tree = *state;
    FILE *file;

    put(tree, "httpd.conf",
        "Include fifo\nInclude big\nInclude socket\n"
        "Include nul\nListen 1\n");
    assert_int_equal(0, mkfifo(below(tree, "fifo"), 0644));
    put(tree, "big", "");
    assert_int_equal(0, truncate(below(tree, "big"), 17 * 1024 * 1024));
    file = fopen(below(tree, "nul"), "w");
    fwrite("Listen 2\0 Listen 3\nListen 4\0", 1, 28, file);
    fclose(file);
    read_tree(tree, "httpd.conf");
    assert_string_equal(listens(tree), "127.0.0.1 2, 127.0.0.1 4, 127.0.0.1 1");
    assert_string_equal(warnings(tree),
                        "/httpd.conf:1: /fifo is not read: not a regular file"
                        "\n/httpd.conf:2: /big is not read: too large\n"
                        "/httpd.conf:3: /socket is not there");
}

static void crossed_sections(void **state)
{
    tree_t *tree = *state;

    put(tree, "inner.conf", "</IfDefine>\nListen 1\n<IfDefine Y>\n");
    read_text(tree, "<IfDefine !X>\nInclude inner.conf\nListen 2\n"
                    "</IfDefine>\n</VirtualHost>\n<IfModule x>\n"
                    "</IfDefine>\nListen 3\n<\n</\n<>\n</>\n");
    assert_string_equal(listens(tree), "127.0.0.1 1, 127.0.0.1 2");
    assert_string_equal(warnings(tree),
                        "/inner.conf:1: </IfDefine> closes nothing\n"
                        "/inner.conf:4: <IfDefine> is not closed\n"
                        "/httpd.conf:5: </VirtualHost> closes nothing\n"
                        "/httpd.conf:7: </IfDefine> closes nothing\n"
                        "/httpd.conf:13: <IfModule> is not closed");
}

static void data_files(void **state)
{
    tree_t *tree = *state;
    const amgr_apache_config_t *config;

    config = read_text(tree, "ManagerDataFile /x/../y/f.txt\n");
    assert_string_equal(config->data_file, "/y/f.txt");
    config = read_text(tree, "ManagerDataFile f.txt\nServerRoot /srv\n"
                             "DefaultRuntimeDir run\n");
    assert_string_equal(config->data_file, "/srv/run/f.txt");
    config = read_text(tree, "ManagerDataFile f\nManagerDataFile off\n");
    assert_null(config->data_file);
    assert_true(config->data_file_off);
    config = read_text(tree, "ManagerDataFile f\nUse Some macro\n");
    assert_null(config->data_file);
    assert_false(config->data_file_off);
    assert_string_equal(warnings(tree),
                        "/httpd.conf:2: what Use Some stands for is not read\n"
                        "ManagerDataFile is below a runtime directory that is "
                        "not named: there is no DefaultRuntimeDir");
}

static void not_found(void **state)
{
    tree_t *tree = *state;
    const amgr_fault_t *fault;

    setenv("APACHE_CONFDIR", below(tree, "etc"), 1);
    fault = amgr_apache_config_read(NULL, &tree->config, tree->pool);
    assert_non_null(fault);
    assert_int_equal(fault->exit_code, AMGR_EXIT_FAILED);
    assert_string_equal(
        fault->text,
        apr_psprintf(tree->pool,
                     "Apache's configuration is not found: looked for "
                     "%s/etc/apache2.conf, %s/etc/httpd.conf",
                     tree->dir, tree->dir));
    put(tree, "etc/httpd.conf", "Listen 7\n");
    assert_null(amgr_apache_config_read(NULL, &tree->config, tree->pool));
    unsetenv("APACHE_CONFDIR");
    assert_string_equal(listens(tree), "127.0.0.1 7");

    fault =
        amgr_apache_config_read(below(tree, "etc"), &tree->config, tree->pool);
    assert_non_null(fault);
    assert_int_equal(fault->exit_code, AMGR_EXIT_FAILED);
    assert_string_equal(fault->text,
                        apr_psprintf(tree->pool,
                                     "cannot read %s/etc: not a regular file",
                                     tree->dir));
}

/* What an ordinary user may not read, in a child that is one. */
static void not_permitted(void **state)
{
    tree_t *tree = *state;
    const amgr_fault_t *fault;
    const char *text;
    int status = -1;
    pid_t pid;

    put(tree, "httpd.conf", "Include secret.conf\nInclude d\nListen 1\n");
    put(tree, "secret.conf", "Listen 2\n");
    put(tree, "d/x", "Listen 3\n");
    chmod(below(tree, "secret.conf"), 0);
    chmod(below(tree, "d"), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (geteuid() == 0 && setuid(NOBODY) != 0) {
            _exit(1);
        }
        fault = amgr_apache_config_read(below(tree, "httpd.conf"),
                                        &tree->config, tree->pool);
        if (fault != NULL || strcmp(listens(tree), "127.0.0.1 1") != 0) {
            _exit(2);
        }
        text = "/httpd.conf:1: /secret.conf is not read: permission denied\n"
               "/httpd.conf:2: /d is not read: permission denied";
        if (strcmp(warnings(tree), text) != 0) {
            _exit(3);
        }
        fault = amgr_apache_config_read(below(tree, "secret.conf"),
                                        &tree->config, tree->pool);
        _exit(fault == NULL || fault->exit_code != AMGR_EXIT_PERMISSION ? 4
                                                                        : 0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    chmod(below(tree, "d"), 0755);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(debian),        TEST(debian_second_instance),
        TEST(red_hat),       TEST(variables),
        TEST(includes),      TEST(deep_sections),
        TEST(loops),         TEST(relative_main_file),
        TEST(hostile_files), TEST(crossed_sections),
        TEST(data_files),    TEST(not_found),
        TEST(not_permitted),
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
