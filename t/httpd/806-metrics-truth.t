#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Counters tell what is true: the CPU time of daemons that live and of those
# that have ended, no lie of a worker for longer than it lies, and no old
# figures where ticks are rare.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Exposition;
use AMGR::Httpd qw(wait_until);
use Apache::Test qw(-withtestmore);
use POSIX ();

use constant {
    NATIVE  => 'apache_manager_',
    SPIN    => 4,
    FACTOR  => 20, # of the clock where ticks are rare
};

sub metrics {
    my ($s) = @_;
    my $m = AMGR::Exposition->new(
        $s->get('/manager-status/metrics')->content, 'text');
    is_deeply([$m->errors], [], 'clean') if $m->errors;
    return $m;
}

sub cpu {
    my ($s) = @_;
    my $by = metrics($s)->by_label(NATIVE . 'cpu_seconds_total', 'mode');
    return $by->{user} + $by->{system};
}

sub requests { return metrics($_[0])->value(NATIVE . 'requests_total') }

my $rare = AMGR::Httpd->new(mpm => 'event', interval => '1h', name => 'rare',
    config => "ManagerDataFile Off\nManagerSyslog On\n");
$rare->{env} = { LD_PRELOAD => $rare->build_object('clock'),
                 AMGR_CLOCK => FACTOR };
$rare->start;

# CPU time in seconds of a process, by the kernel; of a parent, with that of
# children that have ended.
sub spent {
    my ($pid, $is_parent) = @_;
    my @stat = AMGR::Httpd::stat_fields($pid) or return 0;
    my $ticks = $stat[11] + $stat[12];
    $ticks += $stat[13] + $stat[14] if $is_parent;
    return $ticks / POSIX::sysconf(POSIX::_SC_CLK_TCK());
}

# Begins without the module, with one worker.
my $late = AMGR::Httpd->new(mpm => 'prefork',
    modules => ['wsgi'], name => 'late', manager => 0, location => 0,
    mpm_config => "StartServers 1\nMinSpareServers 1\nMaxSpareServers 1\n"
                  . "ServerLimit 4\nMaxRequestWorkers 1\n");
$late->{config} = "ExtendedStatus On\nWSGIScriptAlias /app "
    . $late->wsgi_script . "\n";
my $begun = time;
$late->expect_log(qr{AH00161}, qr{\[wsgi:(?:error|warn)\]});
$late->start;

my $s = AMGR::Httpd->new(mpm => 'event', interval => '200ms',
                         modules => ['wsgi'], name => 'truth');
my ($script, $scribble) = ($s->wsgi_script, $s->build_object('mod_scribble'));
$s->{config} = join('', map {
    "WSGIDaemonProcess $_ threads=2 display-name=%{GROUP} home=/\n"
    . "WSGIScriptAlias /$_ $script process-group=$_\n" } qw(app other wsgi:other))
    . <<"END";
ManagerMetricsNames Both
<ManagerGroup other>
    ManagerMaxLifetime 1d
</ManagerGroup>
LoadModule scribble_module $scribble
<Location "/scribble">
    SetHandler scribble
</Location>
END
$s->expect_log(qr/AMGR0023: /, qr/\[wsgi:(?:error|warn)\]/);
$s->start;

# ---- groups whose names are alike ------------------------------------------

ok(wait_until(sub {
    my $count = metrics($s)->by_label(NATIVE . 'group_processes', 'group');
    ($count->{'wsgi:other'} // 0) == 1
        && ($count->{'wsgi:wsgi:other'} // 0) == 1 && ($count->{app} // 0) == 1;
}, 30, 'the groups'), 'two groups stay two');
cmp_ok(scalar(my @l = $s->log_lines(
    qr/AMGR0023: <ManagerGroup other> .* is shown as wsgi:other/)), '>=', 1,
    'and the log says what the section is to be called');

# ---- CPU time of daemons ---------------------------------------------------

my $idle = cpu($s);
my $busy = $s->start_request('/app/spin?s=' . SPIN);
my $risen;
ok(wait_until(sub { $risen = cpu($s); $risen >= $idle + 0.3 }, SPIN + 30,
              'CPU time'), 'a daemon that spins shows');
ok(!$busy->done, 'while it does');
ok($busy->wait(30), 'until it answers');
ok($s->wait_ticks(3), 'ticks');
my $before = cpu($s);
my $spun = $before - $idle; # less than the time on a busy machine
my ($pid) = $s->get('/app/pid')->content =~ /pid=(\d+)/;
my ($highest, $at_once) = ($before, 0);
kill 'TERM', $pid;
ok(wait_until(sub {
    my $now = cpu($s);
    $at_once = $now - $highest if $now - $highest > $at_once;
    fail("it fell from $highest to $now") if $now < $highest;
    $highest = $now;
    !AMGR::Httpd::is_alive($pid);
}, 30, 'the end of the daemon'), 'it ends');
my $ticks = $s->json->{manager}{ticks};
wait_until(sub {
    my $now = cpu($s);
    $at_once = $now - $highest if $now - $highest > $at_once;
    $highest = $now;
    $s->json->{manager}{ticks} > $ticks + 4;
}, 30, 'ticks');
cmp_ok($at_once, '<', $spun / 2, 'and its end is no step');
cmp_ok($highest - $before, '<', $spun, 'nor counted twice');

# ---- a worker that lies ----------------------------------------------------

my $true = metrics($s);
my $lie = $s->start_request('/scribble?start=1&secs=2');
my $during;
ok(wait_until(sub {
    $during = metrics($s);
    $during->value(NATIVE . 'requests_total')
        > $true->value(NATIVE . 'requests_total') + 1000;
}, 30, 'the lie'), 'a lie is in the counters');
is($during->value(NATIVE . 'server_start_time_seconds'),
   $true->value(NATIVE . 'server_start_time_seconds'), 'not in the start');
cmp_ok($during->value('apache_uptime_seconds_total'), '<', 600,
       'nor in the uptime');
is_deeply([grep { $_ !~ /cpu/ } $during->families],
          [grep { $_ !~ /cpu/ } $true->families], 'every family is there');
cmp_ok($during->value(NATIVE . 'requests_total'), '<', 1e9,
       'it is no more than a server can do');
ok($lie->wait(30), 'it ends');
ok($s->wait_ticks(8), 'ticks');
my $after = requests($s);
$s->get('/') for 1 .. 20;
my $later;
ok(wait_until(sub { $later = requests($s); $later >= $after + 20 }, 30,
              'requests'), 'the truth is followed again');
cmp_ok($later, '<', $after + 1000, 'and that alone');
ok($s->graceful, 'graceful restart');
is(metrics($s)->value(NATIVE . 'server_start_time_seconds'),
   $true->value(NATIVE . 'server_start_time_seconds'),
   'it keeps the start of the server');
$s->stop_ok;

# ---- loaded into a server that runs ----------------------------------------

my ($worker) = $late->children;
ok(wait_until(sub { $late->get('/app/spin?s=1'); spent($worker) >= 1 }, 60,
              'CPU time'), 'a worker takes CPU time');
$late->get('/app/pid') for 1 .. 30;
my $taken = spent($worker);
my $held = $late->start_request('/app/sleep?s=60');
$late->{$_} = 1 for qw(manager location);
$late->{interval} = '200ms';
$late->{mpm_config} =~ s/MaxRequestWorkers 1/MaxRequestWorkers 4/;
$late->prepare_module;
$late->write_config;
ok($late->graceful, 'the module is loaded by a graceful restart');
ok(wait_until(sub { $late->json->{manager}{ticks} }, 30, 'a tick'), 'ticks');
ok(!$held->done, 'a worker of before lives');
my $loaded = metrics($late);
cmp_ok(abs($loaded->value(NATIVE . 'server_start_time_seconds') - $begun), '<',
       10, 'the start is that of the server');
cmp_ok($loaded->value(NATIVE . 'requests_total'), '>=', 31,
       'what was served before counts');
my $told = cpu($late);
my $all = spent($late->parent_pid, 1);
$all += spent($_) for $late->children;
cmp_ok($told, '>=', $taken - 0.1, 'and what CPU time it took');
cmp_ok($told, '<', $all + $taken / 2, 'once');
$held->close_now;
$late->stop_ok;

# ---- rare ticks ------------------------------------------------------------

ok(wait_until(sub { $rare->json->{manager}{ticks} }, 30, 'a tick'),
   'the one tick');
my $count = requests($rare);
$rare->get('/') for 1 .. 20;
ok(wait_until(sub { requests($rare) >= $count + 20 }, 30, 'requests'),
   'requests are counted between rare ticks');
is($rare->json->{manager}{ticks}, 1, 'without a tick, and without a data file');
$rare->stop_ok;
done_testing();
