#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Sections of managed processes as `httpd -t` reads them: what is wrong is told
# with the process, the directive, the value, the file and the line; what httpd
# itself does in a section while it reads works; -DDUMP_MANAGED prints it all.
# No server is started.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Httpd;
use Apache::Test qw(-withtestmore);

my $check = AMGR::Httpd->new(mpm => 'event', name => 'check',
                             modules => ['macro']);
my $conf = $check->path('conf/check.conf');

# A section around these lines, and where the first of them stands.
sub section {
    my ($lines, $name) = @_;
    return '<ManagedProcess ' . ($name // 'web') . ">\n$lines\n"
        . "</ManagedProcess>\n";
}

# The line that the configuration of a test begins at.
$check->prepare_module;
my $begin = () = $check->config_text =~ /\n/g;

sub is_refused {
    my ($config, $sentence, $line, $name) = @_;
    my ($out, $status) = $check->config_error($config);
    my $where = $line
        ? qr/Syntax error on line @{[$begin + $line - 1]} of \Q$conf\E:\n/
        : qr//;
    return ok($status != 0 && $out =~ /$where.*$sentence$/m, $name)
        || diag("status $status: $out");
}

sub is_accepted {
    my ($config, $name) = @_;
    my ($out, $status) = $check->config_error($config);
    return ok($status == 0 && $out =~ /^Syntax OK$/m, "$name is accepted")
        || diag("status $status: $out");
}

my $expected = qr/is not valid \(expected .+\)/;
my $command = 'Command /bin/sleep 60';

# ---- values ----------------------------------------------------------------

# DIRECTIVE, its words, and the value that the sentence quotes (else all words).
my @wrong = (
    ['Command', '""', ''],
    ['Shell', 'yes'], ['Shell', 'On Off'],
    ['WorkingDirectory', '/a /b'], ['WorkingDirectory', '""', ''],
    ['User', 'a:b'], ['User', '#x'], ['User', '0'], ['Group', '-g'], ['Group', 'a b'],
    ['Environment', 'NAME'], ['Environment', '1X 1', '1X'],
    ['EnvironmentFile', '-'], ['PassEnv', 'A=B'], ['PassEnv', 'A A', 'A'],
    ['Output', 'errorlogg'], ['Output', '"|"', '|'], ['Output', '/logs/'],
    ['Output', '"|$bin/x"', '|$bin/x'],
    ['Limit', 'nofile'], ['Limit', 'files 5', 'files'],
    ['Limit', 'nofile 5:4', '5:4'], ['Limit', 'nofile 1K', '1K'],
    ['Limit', 'as 5X', '5X'], ['Limit', 'cpu 1.5', '1.5'],
    ['Nice', '20'], ['Nice', '-21'], ['Nice', '1.5'],
    ['Oom', '1001'], ['Oom', 'Off'],
    ['MaxMemory', '5X'], ['MaxMemory', '0'], ['MaxMemory', '512'],
    ['RequireFree', '127.0.0.1:80'], ['RequireFree', 'tcp://127.0.0.1:0'],
    ['RequireFree', 'tcp://localhost:80'], ['RequireFree', 'unix:x'],
    ['After', 'a/b'], ['After', 'x x', 'x'],
    ['StartTimeout', '0'], ['StartTimeout', '5x'],
    ['StopSignal', 'STOP'], ['StopSignal', '15'], ['StopTimeout', 'Off'],
    ['Restart', 'sometimes'], ['RestartDelay', '0'], ['RestartDelay', '10ms'],
    ['RestartDelay', '1s factor=0.5', 'factor=0.5'],
    ['RestartDelay', '1s jitter=101%', 'jitter=101%'],
    ['RestartDelay', '1s max=2s max=2s', 'max=2s'],
    ['RestartDelay', '5s max=2s'], ['RestartDelay', '1s colour=2', 'colour=2'],
    ['RestartLimit', '5 in'], ['RestartLimit', '5'],
    ['RestartLimit', '0 in 1m', '0'], ['RestartLimit', '5 in 1x', '1x'],
    ['SuccessExit', '256'], ['SuccessExit', '-1'], ['SuccessExit', 'TERM'],
    ['Gate', 'balancer://x'], ['Gate', 'x http://y', 'x'],
    ['Gate', 'balancer://x y', 'y'],
    ['Liveness', 'exited 0', 'exited'],
    ['Verify', 'exited'], ['Verify', 'exited 256'],
    ['Verify', 'exited 0 interval=1s', 'interval=1s'],
    ['Verify', 'notify timeout=1s', 'timeout=1s'],
    ['Verify', 'file'],
    (map { my $directive = $_; map { [$directive, @$_] }
           ['ftp ftp://x', 'ftp'], ['there /x', 'there'],
           ['http'], ['http ftp://x/', 'ftp://x/'],
           ['http http://x/ status=99', 'status=99'],
           ['http http://x/ status=300-200', 'status=300-200'],
           ['http http://x/ retries=x', 'retries=x'],
           ['http http://x/ colour=red', 'colour=red'],
           ['http http://x/ interval=1s interval=1s', 'interval=1s'],
           ['http http://x/ interval=10ms', 'interval=10ms'],
           ['tcp localhost', 'localhost'], ['tcp localhost:0', 'localhost:0'],
           ['tcp localhost:1 status=200', 'status=200'],
           ['unix'], ['unix /' . 'x' x 108, '/' . 'x' x 108],
           ['exec'], ['exec timeout=0 /bin/true', 'timeout=0'],
           ['notify now', 'now'] } qw(Verify Liveness)),
);
for (@wrong) {
    my ($directive, $words, $quoted) = @$_;
    $quoted //= $words;
    my $lines = $directive eq 'Command' ? "$directive $words"
                                        : "$command\n$directive $words";
    is_refused(section($lines),
               qr/^process web: $directive: '\Q$quoted\E' $expected/m,
               2 + ($directive ne 'Command'), "$directive $words is refused");
}
# Without any word.
for my $directive (qw(Command User Environment Output Verify RestartLimit)) {
    is_refused(section("  $directive"),
               qr/^process web: $directive: '' $expected/m, 2,
               "$directive without a word is refused");
}
is_refused(section("$command\nEnvironment PASSWORD=hush more"),
           qr/^process web: Environment: 'PASSWORD=\*\*\*.*' $expected/m, 3,
           'and a secret is not told');

# ---- what the section is as a whole ----------------------------------------

is_refused(section(''), qr/^process web: Command is missing/m, 1,
           'a section without Command is refused');
is_refused(section("$command\n$command"),
           qr/^process web: Command: is there twice/m, 3,
           'a directive is there once');
is_refused(section("$command\nVerify exited 0\nRestart always"),
           qr/^process web: Restart: 'always' $expected/m, 1,
           'Restart always does not go with Verify exited');
is_refused(section("Command /bin/sleep 60\nShell On"),
           qr/^process web: Command: '\/bin\/sleep' $expected/m, 1,
           'a shell takes one word');

# ---- directives that are httpd's, and unknown ones --------------------------

for my $line ('ServerName x', 'Listen 80', 'ManagerDryRun On', 'Colour red',
              'Require all granted', 'PidFile x') {
    my ($directive) = $line =~ /^(\w+)/;
    is_refused(section("$command\n$line"),
               qr/^process web: $directive: is no directive of <ManagedProcess>/m,
               3, "$line is refused");
}
for my $inner ('Directory "/"', 'Limit GET', 'VirtualHost *:1', 'Files "x"',
               'ManagedProcess other', 'ManagerGroup native', 'Colour red',
               'Directory') {
    my ($word) = $inner =~ /^(\w+)/;
    for my $body ('', "User x\n") {
        is_refused(section("$command\n<$inner>\n$body</$word>"),
                   qr/^process web: <$word> is not valid \(expected no section within the section\)/m,
                   3, "<$inner> in the section is refused");
    }
}
# httpd's own words: it never comes to us.
is_refused("<ManagedProcess web>\n$command\n",
           qr/<ManagedProcess> was not closed\./, 0, 'a section has an end');

# Names that the core has too.
is_accepted(section("$command\nuser daemon\nGROUP daemon\nLimit nofile 5\n"
                    . "Environment A b\nOutput discard\nRestart never"),
            'what httpd has, too, in any case');
is_accepted(section("$command\nUser no-such-user\n"
                    . "WorkingDirectory /nonexistent\nGroup #12345"),
            'what is missing on this machine');

# ---- what httpd does while it reads -----------------------------------------

$check->write('conf/inner.conf', "User included\nNice 5\n");
my $inner = $check->path('conf/inner.conf');
my $parts = <<"END";
<Macro Slow \$seconds>
    StopTimeout \$seconds
</Macro>
<ManagedProcess parts>
    <IfModule mime_module>
        Command /bin/\${WHAT} 60
    </IfModule>
    <IfDefine NOWHERE>
        Command /bin/false
    </IfDefine>
    Define AFTER 3
    Include "$inner"
    IncludeOptional /nonexistent/*.conf
    Use Slow 7s
    <IfDefine !NOWHERE>
        Oom 12
    </IfDefine>
    LoadModule dir_module @{[AMGR::Httpd::module_dir()]}/mod_dir.so
    RestartLimit \${AFTER} in \\
        30s
</ManagedProcess>
User www-data
END
# How it reads with -DDUMP_MANAGED.
sub dump_of {
    my ($config) = @_;
    local $check->{config} = $config;
    my $file = $check->write_config('conf/dump.conf');
    my ($status, $out) = $check->run_httpd('-t', '-DDUMP_MANAGED', '-f', $file);
    ok($status == 0 && $out =~ s/^Syntax OK\n//m, 'the dump is a test, too')
        or diag("status $status: $out");
    return $out;
}

my $dump = dump_of("Define WHAT sleep\n$parts");
like($dump, qr/^\s+$_$/m, "httpd's own work in a section: $_")
    for 'Command /bin/sleep 60', 'User included', 'Nice 5', 'StopTimeout 7s',
        'Oom 12', 'RestartLimit 3 in 30s';
unlike($dump, qr{/bin/false|nonexistent}, 'and not what is not there');
is_refused("Define WHAT sleep\n" . $parts =~ s/Nice 5//r
           . section("Include \"$inner\"\nColour red", 'other'),
           qr/^process other: Colour: is no directive of <ManagedProcess>/m, 0,
           'what is wrong behind an Include');
$check->write('conf/inner.conf', "Nice 50\n");
{
    my ($out, $status) = $check->config_error(
        section("$command\n\n\nInclude \"$inner\""));
    ok($status != 0 && $out =~ /line 1 of \Q$inner\E:\n.*Nice: '50' $expected/,
       'the line is that of the included file') or diag($out);
}

# ---- the socket of the supervisor is nobody else's --------------------------

my $runtime = $check->runtime_file('x') =~ s{/x\z}{}r;
symlink $runtime, $check->path('link') or die "symlink: $!\n";
for my $path ('apache-managed.sock', "$runtime/./apache-managed.sock",
              $check->path('link') . '/apache-managed.sock') {
    is_refused("ManagerSocket $path\n",
               qr/ManagerSocket: '\S+' is not valid \(expected another path: .*\)/,
               0, "ManagerSocket $path is refused");
}
is_accepted("ManagerSocket $_\n", "ManagerSocket $_")
    for 'apache-manager.sock', '/nonexistent/apache-managed.sock';

# ---- places ----------------------------------------------------------------

for my $place ('VirtualHost *:1', 'Location "/x"', 'Directory "/"', 'If "true"',
               'ManagerGroup native') {
    my ($end) = $place =~ /^(\w+)/;
    is_refused("<$place>\n" . section($command) . "</$end>",
               qr/<ManagedProcess.*/m, 2,
               "a section in <$place> is refused");
}
for my $name ('', '""', 'a b', 'a/b', '.a', '-a', 'x' x 64, "caf\xe9", 'a>b',
          'all') {
    my ($out, $status) = $check->config_error(section($command, $name));
    ok($status != 0 && $out =~ /<ManagedProcess>: '.*' $expected/,
       "the name '$name' is refused") or diag($out);
}
is_accepted(section($command, $_), "the name $_")
    for 'x' x 63, 'A.b_c-9', '"web"', '9';

# ---- all sections together -------------------------------------------------

sub chain {
    return join '', map { section("$command\nAfter $_->[1]", $_->[0]) } @_;
}
for my $case (
    ['a name twice', section($command) x 2, qr/process web: is there twice/],
    ['After nobody', chain(['a', 'b']), qr/process a: After: 'b' $expected/],
    ['After itself', chain(['a', 'a']), qr/process a: After: 'a' $expected/],
    ['a circle', chain(['a', 'b'], ['b', 'c'], ['c', 'a']),
     qr/process a: After: 'b' is not valid \(expected no circle: a after b after c after a\)/],
    ['After a later one in the order of the configuration',
     "ManagerStartOrder Config\n" . chain(['a', 'b']) . section($command, 'b'),
     qr/process a: After: 'b' is not valid \(expected a section before this one, as ManagerStartOrder is Config\)/],
    ['a member of two', join('', map {
         section("$command\nGate balancer://x http://y", $_) } qw(a b)),
     qr/process b: Gate: 'balancer:\/\/x http:\/\/y' $expected/],
    ['65 of them', join('', map { section($command, "p$_") } 1 .. 65),
     qr/<ManagedProcess>: '65' is not valid \(expected at most 64 sections\)/],
) {
    my ($name, $config, $sentence) = @$case;
    is_refused($config, qr/AMGR0041: $sentence/, 0, "$name is refused");
    $check->set_config($config);
    my ($status, $out) = $check->run_httpd('-DFOREGROUND', '-f',
        $check->write_config('conf/start.conf'));
    ok($status != 0 && $out =~ $sentence, "$name: httpd does not start")
        or diag("status $status: $out");
}
$check->set_config('');
is_accepted(join('', map { section($command, "p$_") } 1 .. 64), '64 of them');
is_accepted(chain(['a', 'b c'], ['b', 'c']) . section($command, 'c'),
            'After what comes later');

# ---- the dump --------------------------------------------------------------

is(dump_of(''), "ManagerStartOrder After\nManagerExitWhenDone Off\n",
   'the dump of nothing');
is(dump_of("ManagerStartOrder config\nManagerExitWhenDone on\n"),
   "ManagerStartOrder Config\nManagerExitWhenDone On\n", 'and of its order');
unlike($check->config_error(section($command)), qr/StopTimeout/,
       'without the define nothing is printed');
my $full = section(join("\n", 'Command bin/serve "a b" $x', 'User #12',
    'EnvironmentFile -conf/env', 'Environment KEY "a \"b\""',
    'Output "|bin/log -n 5 logs/x"', 'Verify unix run/x.sock',
    'Verify exec bin/ready -x') =~ s/Verify unix.*\n//r);
$dump = dump_of($full);
my $root = $check->root;
like($dump, qr/^ +\Q$_\E$/m, "paths are below ServerRoot: $_")
    for qq(Command $root/bin/serve "a b" \$x), "EnvironmentFile -$root/conf/env",
        qq(Output "|$root/bin/log -n 5 logs/x"),
        "Verify exec interval=1s timeout=2s retries=Off $root/bin/ready -x";
is(dump_of($dump), $dump, 'a dump is a configuration that means the same');
unlike(dump_of(section("$command\nVerify http http://u:hush\@x/")), qr/hush/,
       'no password of a URL is dumped');

# ---- verifiers of other modules --------------------------------------------

my $load = 'LoadModule verifier_module ' . $check->build_object('mod_verifier')
    . "\n";
is_accepted($load . section("$command\nVerify there interval=5s /x\n"
                            . 'Liveness terse a b c'),
            q(another module's verifier));
for my $words ('there x', 'there', 'there /x /y') {
    is_refused($load . section("$command\nVerify $words"),
               qr/^process web: Verify: 'there' is not valid \(expected one absolute path\)/m,
               4, "Verify $words: the module has its say");
}
is_refused($load . section("$command\nVerify elsewhere"),
           qr/^process web: Verify: 'elsewhere' $expected/m, 4,
           'one that it has not');

# ---- an ordinary user ------------------------------------------------------

if (AMGR::Httpd::is_root()) {
    my $user = AMGR::Httpd->new(mpm => 'prefork', name => 'user',
                                as_user => 65534);
    $user->own_files;
    my ($out, $status) = $user->config_error(section("$command\nUser root"));
    is($status, 0, 'an ordinary user may test, too') or diag($out);
    ($out, $status) = $user->config_error(section("$command\nNice 50"));
    ok($status != 0 && $out =~ /process web: Nice: '50' $expected/,
       'and reads the same') or diag($out);
}
done_testing();
