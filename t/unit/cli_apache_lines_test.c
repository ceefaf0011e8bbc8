/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines of Apache's configuration, each way to write them: what counts at all,
 * addresses, the places of handlers, and the shell's variables.
 */
#include "config_tree.h"

static void listen_lines(void **state)
{
    static const struct {
        const char *lines;
        const char *listens;
        const char *warnings;
    } cases[] = {
        {"Listen 80", "127.0.0.1 80", ""},
        {"listen  443 ", "127.0.0.1 443 tls", ""},
        {"Listen 443 http", "127.0.0.1 443", ""},
        {"Listen 8443 HTTPS", "127.0.0.1 8443 tls", ""},
        {"Listen 127.0.0.2:54321", "127.0.0.2 54321", ""},
        {"Listen \"1.2.3.4:80\"", "1.2.3.4 80", ""},
        {"Listen *:80\nListen 0.0.0.0:81\nListen [::]:82",
         "127.0.0.1 80, 127.0.0.1 81, ::1 82", ""},
        {"Listen 80\nListen [::]:80\nListen 80", "127.0.0.1 80", ""},
        {"Listen [::]:80\nListen 80", "127.0.0.1 80", ""},
        {"Listen [::1]:80", "::1 80", ""},
        {"Listen [fe80::1%eth0]:80", "fe80::1%eth0 80", ""},
        {"Listen www.example.com:8080", "www.example.com 8080", ""},
        {"Listen unix:/run/httpd.sock", "", ""},
        {"Listen 65535", "127.0.0.1 65535", ""},
        {"Listen 65536", "",
         "/httpd.conf:1: Listen '65536' has no address and port"},
        {"Listen 0", "", "/httpd.conf:1: Listen '0' has no address and port"},
        {"\nListen", "", "/httpd.conf:2: Listen '' has no address and port"},
        {"Listen a/b:80", "",
         "/httpd.conf:1: Listen 'a/b:80' has no address and port"},
        {"Listen '\033[31m:80'", "",
         "/httpd.conf:1: Listen '\\x1b[31m:80' has no address and port"},
        {"Listen ${nobody}", "",
         "/httpd.conf:1: ${nobody} is not defined\n"
         "/httpd.conf:1: Listen '${nobody}' has no address and port"},
        {"Listen 81\nListen 8443\n<VirtualHost *:8443>\nSSLEngine on\n"
         "</VirtualHost>",
         "127.0.0.1 81, 127.0.0.1 8443 tls", ""},
        {"<VirtualHost a:8443 [::1]:8444>\nSSLEngine On\n</VirtualHost>\n"
         "<VirtualHost *:8443>\nSSLEngine off\n</VirtualHost>\n"
         "Listen 8443\nListen [::1]:8444\nListen 8445",
         "127.0.0.1 8443 tls, ::1 8444 tls, 127.0.0.1 8445", ""},
        {"Listen 443\n<VirtualHost *:443>\nSSLEngine off\n</VirtualHost>",
         "127.0.0.1 443", ""},
        {"Listen 8080\nSSLEngine on\nListen 81\n<VirtualHost *:81>\n"
         "SSLEngine off\n</VirtualHost>",
         "127.0.0.1 8080 tls, 127.0.0.1 81", ""},
        {"Listen 8080\n<IfDefine nobody>\nSSLEngine on\n</IfDefine>",
         "127.0.0.1 8080", ""},
        {"Listen 8080\n<VirtualHost *:8080>\nSSLEngine optional\n"
         "</VirtualHost>",
         "127.0.0.1 8080", ""},
        {"#Listen 80\n # Listen 81\nListening 82\nListen80", "", ""},
        {"Listen \\\n  80\\\n80 \\\n https\n", "127.0.0.1 8080 tls", ""},
        {"# comment \\\nListen 80\nListen 81\nListen 82\\", "127.0.0.1 81",
         "/httpd.conf:4: Listen '82\\x5c' has no address and port"},
        {"Listen 80\r\nListen \\\r\n81\r\n", "127.0.0.1 80, 127.0.0.1 81", ""},
    };
    tree_t *tree = *state;
    apr_size_t i;

    for (i = 0; i < AMGR_COUNT(cases); i++) {
        read_text(tree, cases[i].lines);
        assert_string_equal(listens(tree), cases[i].listens);
        assert_string_equal(warnings(tree), cases[i].warnings);
    }
}

static void conditions(void **state)
{
    static const struct {
        const char *condition;
        int holds;
    } cases[] = {
        {"<IfDefine X>", 1},
        {"<IfDefine !X>", 0},
        {"<IfDefine x>", 0},
        {"<IfDefine V>", 1},
        {"<IfDefine GONE>", 0},
        {"<ifdefine \"X\" >", 1},
        {"<IfModule ssl_module>", 1},
        {"<IfModule mod_ssl.c>", 1},
        {"<IfModule !mod_ssl.c>", 0},
        {"<IfModule mod_php.c>", 1},
        {"<IfModule event.c>", 1},
        {"<IfModule prefork.c>", 0},
        {"<IfModule core.c>", 1},
        {"<IfModule mod_so.c>", 1},
        {"<IfModule http_core.c>", 1},
        {"<IfModule log_config_module>", 1},
        {"<IfModule later_module>", 0},
        {"<IfVersion 2.4>", 0},
        {"<IfVersion >= 2.4>", 1},
        {"<IfVersion >= 2.4.10>", 1},
        {"<IfVersion < 2.4>", 0},
        {"<IfVersion !< 2.4>", 1},
        {"<IfVersion > 2>", 1},
        {"<IfVersion <= 2.2.31>", 0},
        {"<IfVersion >= 2.5>", 0},
        {"<IfFile httpd.conf>", 1},
        {"<IfFile !httpd.conf>", 0},
        {"<IfFile /nonexistent/file>", 0},
        {"<IfDirective ManagerInterval>", 1},
        {"<IfSection !VirtualHost>", 0},
        {"<Macro Any $p>", 0},
        {"<Directory />", 1},
        {"<IfDefine>", 0},
    };
    tree_t *tree = *state;
    apr_size_t i;

    for (i = 0; i < AMGR_COUNT(cases); i++) {
        const char *name =
            apr_pstrmemdup(tree->pool, cases[i].condition + 1,
                           strcspn(cases[i].condition + 1, " >"));

        read_text(tree,
                  apr_pstrcat(
                      tree->pool,
                      "Define X\nDefine V value\nDefine GONE\nUnDefine GONE\n"
                      "LoadModule ssl_module modules/mod_ssl.so\n"
                      "LoadModule php_module modules/libphp8.2.so\n"
                      "LoadModule mpm_event_module modules/mod_mpm_event.so\n",
                      cases[i].condition,
                      "\nListen 1\n<IfDefine X>\nListen 2\n", "</IfDefine>\n</",
                      name, ">\nListen 3\n",
                      "LoadModule later_module modules/mod_later.so\n", NULL));
        if (strcmp(warnings(tree), "") != 0) {
            print_error("%s: %s\n", cases[i].condition, warnings(tree));
        }
        assert_string_equal(warnings(tree), "");
        assert_string_equal(listens(tree),
                            cases[i].holds
                                ? "127.0.0.1 1, 127.0.0.1 2, 127.0.0.1 3"
                                : "127.0.0.1 3");
    }
}

static void places(void **state)
{
    static const struct {
        const char *text;
        const char *status;
        const char *manager;
    } cases[] = {
        {"<Location /a>\nSetHandler server-status\n</Location>\n"
         "<Location /b>\nSetHandler server-status\n</Location>",
         "/a", NULL},
        {"<VirtualHost *:80>\n<Location /a>\nSetHandler server-status\n"
         "</Location>\n</VirtualHost>\n"
         "<Location /b>\nSetHandler server-status\n</Location>\n",
         "/b", NULL},
        {"<VirtualHost *:80>\n<Location /a>\nSetHandler Manager-Status\n"
         "</Location>\n<Location /b>\nSetHandler manager-status\n"
         "</Location>\n</VirtualHost>",
         NULL, "/a"},
        {"<Location /a>\n<Files x>\nSetHandler server-status\n</Files>\n"
         "</Location>",
         "/a", NULL},
        {"SetHandler server-status\n<Directory /a>\nSetHandler "
         "server-status\n</Directory>",
         NULL, NULL},
        {"<LocationMatch /a>\nSetHandler server-status\n</LocationMatch>\n"
         "<Location ~ \"/b\">\nSetHandler server-status\n</Location>\n"
         "<Location /c*>\nSetHandler server-status\n</Location>\n"
         "<Location \"/d e\">\nSetHandler server-status\n</Location>\n"
         "<Location http://x/>\nSetHandler server-status\n</Location>\n"
         "<Location>\nSetHandler server-status\n</Location>\n"
         "<Location /f>\nSetHandler\nSetHandler other\n</Location>",
         NULL, NULL},
        {"<IfModule no_module>\n<Location /a>\nSetHandler server-status\n"
         "</Location>\n</IfModule>",
         NULL, NULL},
    };
    tree_t *tree = *state;
    apr_size_t i;

    for (i = 0; i < AMGR_COUNT(cases); i++) {
        const amgr_apache_config_t *config = read_text(tree, cases[i].text);

        assert_string_equal(warnings(tree), "");
        assert_string_equal(config->status_path == NULL ? ""
                                                        : config->status_path,
                            cases[i].status == NULL ? "" : cases[i].status);
        assert_string_equal(config->manager_path == NULL ? ""
                                                         : config->manager_path,
                            cases[i].manager == NULL ? "" : cases[i].manager);
    }
}

static void environment_files(void **state)
{
    static const struct {
        const char *script;
        const char *value; /**< of A; NULL: not set */
        int warnings;
    } cases[] = {
        {"export A=1", "1", 0},
        {"A=1", NULL, 0},
        {"A=1\nexport A", "1", 0},
        {"export A='$B \"x\"'", "$B \"x\"", 0},
        {"export A=\"a b\" B=2 # c", "a b", 0},
        {"export A=a\\ b; B=3", "a b", 0},
        {"B=2; export A=\"$B${B}x\"", "22x", 0},
        {"export A=1\nunset A", NULL, 0},
        {"export A=${B:-fallback}", "fallback", 0},
        {"B=x/y.pid\nexport A=${B%.pid}", "x/y", 0},
        {"B=x/y\nexport A=${B#x/}", "y", 0},
        {"export A=${UNSET}", "", 0},
        {"if [ -z \"$B\" ]; then export A=1; else export A=2; fi", "1", 0},
        {"if [ -n \"$B\" ]\nthen export A=1\nelse\nexport A=2\nfi", "2", 0},
        {"if test a = b; then A=1; elif [ a == a ]; then export A=2\n"
         "else A=3; fi",
         "2", 0},
        {"if [ a = a ]; then if [ a = b ]; then A=1; fi; export A=2; fi", "2",
         0},
        {"export A=$(date)", NULL, 1},
        {"export A=1\nexport A=`date`", NULL, 1},
        {"export A=\"$(cat <<X\"", NULL, 1},
        {"if grep -q x /y; then export A=1; else export A=2; fi", NULL, 1},
        {"if [ a = a ] && x; then A=1; fi\nexport A=2", "2", 1},
        {"if [ a = a ]; then B=$(x); fi\nexport A=2", "2", 1},
        {"for A in 1 2; do export A; done\nexport B=1", NULL, 1},
        {"f() {\nexport A=1\n}\nexport B=2", NULL, 1},
        {"case x in\nx) export A=1;;\nesac\nexport B=1", NULL, 1},
        {"A=1 run\nexport A", NULL, 1},
        {". /etc/default/locale\nexport A=1", "1", 1},
        {"export A='open\nexport B='", NULL, 2},
        {"ulimit -n 65536\nexport A=1", "1", 1},
        {"fi\nexport A=1", "1", 1},
        {"`x`\n`y\nexport A=1", "1", 2},
    };
    tree_t *tree = *state;
    apr_size_t i;

    unsetenv("A");
    unsetenv("B");
    put(tree, "httpd.conf", "PidFile /${A}\n");
    for (i = 0; i < AMGR_COUNT(cases); i++) {
        const char *expected =
            cases[i].value == NULL || *cases[i].value == '\0'
                ? cases[i].value
                : apr_pstrcat(tree->pool, "/", cases[i].value, NULL);
        int more = cases[i].value == NULL;

        put(tree, "envvars", cases[i].script);
        read_tree(tree, "httpd.conf");
        if (tree->config.warnings->nelts != cases[i].warnings + more) {
            print_error("%s: %s\n", cases[i].script, warnings(tree));
        }
        assert_int_equal(tree->config.warnings->nelts,
                         cases[i].warnings + more);
        if (expected == NULL) {
            assert_null(tree->config.pid_file);
        }
        else {
            assert_string_equal(tree->config.pid_file,
                                *expected == '\0' ? "/" : expected);
        }
    }
}

static void environment_named(void **state)
{
    tree_t *tree = *state;

    put(tree, "here/httpd.conf", "PidFile ${A}/${HOME}\n");
    put(tree, "here/envvars", "export A=/wrong\n");
    put(tree, "there", "export A=/right\nunset HOME\n");
    setenv("APACHE_ENVVARS", below(tree, "there"), 1);
    setenv("HOME", "/root", 1);
    read_tree(tree, "here/httpd.conf");
    unsetenv("APACHE_ENVVARS");
    assert_string_equal(warnings(tree),
                        "/here/httpd.conf:1: ${HOME} is not defined");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(listen_lines),      TEST(conditions),        TEST(places),
        TEST(environment_files), TEST(environment_named),
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
