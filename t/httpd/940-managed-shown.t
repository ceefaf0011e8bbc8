#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# How managed processes are shown by a server that has some, of which one is
# well, one has failed for good, and one waits for that: status.json and its
# schema, both formats of metrics, the page, and the tool by the server's board
# and over HTTP.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Cli qw(cli);
use AMGR::Exposition;
use AMGR::Httpd qw(wait_until);
use AMGR::Managed;
use AMGR::Prometheus qw(promtool);
use AMGR::Schema qw(schema_errors);
use Apache::Test qw(-withtestmore);

my $s = AMGR::Httpd->new(mpm => 'event', name => 'managed-shown');
AMGR::Managed::prepare($s);
$s->set_config(AMGR::Managed::section($s, 'web', 'MaxMemory 1G') . <<'END');
<ManagedProcess crash>
    Command /bin/false
    RestartDelay 100ms factor=1 jitter=0%
    RestartLimit 3 in 1m
</ManagedProcess>
<ManagedProcess late>
    Command /bin/true
    After crash
</ManagedProcess>
END
$s->expect_log(qr/AMGR0034: process crash: .* -> FATAL/);
$s->start;
AMGR::Managed::wait_for($s, 'crash', 'FATAL');
my $web = AMGR::Managed::wait_for($s, 'web', 'READY');

# ---- status.json ---------------------------------------------------------------------

my $text = $s->get('/manager-status/status.json')->content;
is_deeply([schema_errors($text)], [], 'status.json obeys its schema');
my $json = $s->json;
is_deeply([map { [@$_{qw(id name state)}] } @{ $json->{managed} }],
          [[1, 'web', 'READY'], [2, 'crash', 'FATAL'], [3, 'late', 'STOPPED']],
          'three processes as they stand');
is_deeply([map { $_->{missed} ? 1 : 0 } @{ $json->{managed} }], [0, 1, 1],
          'two of them are missed');
is($json->{managed}[2]{reason}, 'waits for crash, which is FATAL', 'one says for whom');
is($json->{supervision}{application}, 'degraded', 'the application');
is($json->{supervision}{supervisor}, AMGR::Managed::supervisor($s),
   'its supervisor');
is($json->{manager}{health_word}, 'process failed', 'the verdict');
is($json->{manager}{health}, 3, '... as a number');

# ---- metrics -------------------------------------------------------------------------

my $answer = $s->get('/manager-status/metrics');
my $m = AMGR::Exposition->new($answer->content, 'text');
is_deeply([$m->errors], [], 'metrics: the text format');
my ($said, $status) = promtool([qw(check metrics)], input => $answer->content);
is($status, 0, 'promtool check metrics') or diag($said);
my $open = AMGR::Exposition->new(
    $s->get('/manager-status/metrics',
            Accept => 'application/openmetrics-text; version=1.0.0')->content,
    'openmetrics');
is_deeply([$open->errors], [], 'OpenMetrics');
sub value { return $m->value("apache_manager_$_[0]", @_[1 .. $#_]) }
is(value('process_state', process => 'crash', state => 'FATAL'), 1, 'failed');
is(value('process_state', process => 'crash', state => 'READY'), 0, 'not ready');
is(value('process_exits_total', process => 'crash', cause => 'code'), 3,
   'three ends');
is(value('process_last_exit_code', process => 'crash'), 1, 'its code');
is(value('process_ready', process => 'web'), 1, 'ready');
is(value('process_wanted', process => 'late'), 1, 'wanted');
is(value('process_memory_limit_bytes', process => 'web'), 2**30, 'MaxMemory');
is(value('process_starts_total', process => 'late'), 0, 'never started');
is(value('application_state', state => 'degraded'), 1, 'application_state');
is(value('supervisor_up'), 1, 'supervisor_up');
ok(wait_until(sub {
    $m = AMGR::Exposition->new($s->get('/manager-status/metrics')->content,
                               'text');
    return (value('process_resident_memory_bytes', process => 'web') // 0)
        > 2**20 && value('process_tree_processes', process => 'web') == 2;
}, 20, 'its memory'), 'memory of it and of what it started');

# ---- the page, and what reads mod_status ------------------------------------------------

my $page = $s->get('/manager-status')->content;
like($page, qr{<strong>Process failed\.</strong> 1 managed process has failed},
     'the headline');
like($page, qr{<tr id="managed-web"><th [^>]*>web</th><td><span class="mark ok">READY</span></td><td>yes</td><td class="num">$web->{pid}</td>},
     'a row');
like($page, qr{class="mark bad">FATAL</span>}, 'one in red');
unlike($page, qr{method="post"}, 'nobody may give orders');
like($page, qr{No orders are taken here: ManagerControl is Off\.},
     'and is told why');
like($s->get('/manager-status?auto')->content, qr/^ApacheManagerHealth: 3$/m,
     'the verdict in ?auto');

# ---- the tool -----------------------------------------------------------------------------

for my $how (['by the board', '--url', $s->url('/manager-status')],
             ['over HTTP', { as_user => 65534 }, '--url',
              $s->url('/manager-status')]) {
    my ($what, @how) = @$how;
    my $r = cli(@how, '--processes');
    is($r->{code}, 3, "--processes $what: exit code");
    like($r->{out}, qr/\Aweb +READY +pid $web->{pid}, uptime \d.*\ncrash +FATAL +\S.*\nlate +STOPPED +waits for crash, which is FATAL\n\z/,
         '... a line each');
    $r = cli(@how, '--once');
    is($r->{code}, 3, "--once $what: exit code");
    like($r->{out}, qr/^Managed  1 ready, 1 FATAL \(crash\), 1 STOPPED \(late\)$/m,
         '... a line of all');
    like(cli(@how)->{out}, qr/^Managed processes: 1 ready, 1 FATAL \(crash\), 1 STOPPED \(late\)$/m,
         "the report $what");
}

$s->stop_ok;
done_testing();
