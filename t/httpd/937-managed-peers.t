#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Verifiers whose peers are nobody's friends: they refuse, are silent, drip,
# redirect, do not come to an end, fail, are not to be found, or hang and fork.
# Each costs one attempt at a time, which ends with its time and leaves nothing
# behind; none of them makes a process ready, and the supervisor goes on.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Httpd qw(wait_until);
use AMGR::Managed;
use AMGR::ManagedPeer;
use AMGR::ManagedRogue qw(of_program);
use AMGR::ManagedSeen qw(cpu_seconds is_seen is_told order path reasons);
use Apache::Test qw(-withtestmore);
use IO::Socket::INET;
use Time::HiRes qw(time);

use constant {
    SOON     => 60,
    INTERVAL => 0.3,
    ENOUGH   => 4,         # attempts
    MIB      => 1 << 20,
    NUMBER   => 4242,      # whoever sleeps for so long is of an attempt
    RUNS     => 'STOPPED STARTING RUNNING',
    STOPS    => 'STOPPING STOPPED',
};

my %peer = map { $_ => AMGR::ManagedPeer->start($_) }
    qw(silent drip redirects endless heads fails garbage hangs-up big);
my $refuses = AMGR::Httpd::free_port();

sub http { return 'http', "http://127.0.0.1:$peer{$_[0]}{port}/" }

# What is out of time is so after this; the others have all the time.
my $late = 'no answer within 400ms';
my $none = qr/(?:host (?:is not known|cannot be looked up)|\Q$late\E)/;
my $sleeps = 'sleep ' . NUMBER;

# Verify of each, and why it fails.
my %verify = (
    silent        => [http('silent'), $late],
    drip          => [http('drip'), $late],
    redirects     => [http('redirects'), 'redirected to http://127.0.0.1:'
                      . "$peer{redirects}{port}/again"],
    endless       => [http('endless'), 'status 500'],
    heads         => [http('heads'), "the answer's head is too long"],
    fails         => [http('fails'), 'status 503'],
    garbage       => [http('garbage'),
                      'what answers there does not speak HTTP'],
    'hangs-up'    => [http('hangs-up'),
                      'the connection was closed without an answer'],
    refuses       => ['http', "http://127.0.0.1:$refuses/",
                      'connection refused'],
    'refuses-tcp' => ['tcp', "127.0.0.1:$refuses", 'connection refused'],
    unknown       => ['http', 'http://nowhere.invalid/', $none],
    'unknown-tcp' => ['tcp', 'nowhere.invalid:80', $none],
    'no-socket'   => ['unix', '/nonexistent/socket',
                      'no such file or directory'],
    'no-program'  => ['exec', '/nonexistent/check', 'its program cannot be '
                      . 'executed: no such file or directory'],
    forks         => ['exec', qq(/bin/sh -c "$sleeps & setsid $sleeps & $sleeps"),
                      'no answer within 2s'],
    prints        => ['exec', q(/bin/sh -c "printf '\\033[31m<b>\\n'; exit 7"),
                      'exit code 7, it printed: \\x1b[31m<b>'],
);
my @names = sort keys %verify;

sub options {
    my ($why) = @_;
    return 'interval=300ms timeout=' . ($why =~ /$late/ ? '400ms'
                                       : $why =~ /within (\S+)/ ? $1 : '20s');
}

sub section {
    my ($name) = @_;
    my ($type, $target, $why) = @{ $verify{$name} };
    return of_program($name, '/bin/sleep 1000', 'StartTimeout Off',
                      "Verify $type " . options($why) . " $target");
}

my $s = AMGR::Httpd->new(mpm => 'prefork', name => 'peers');
AMGR::ManagedRogue::prepare($s);
my ($type, $silent) = http('silent');
$s->set_config(join '', (map { section($_) } @names),
    of_program('web', '/bin/sleep 1000'),
    # Of an answer only its head is asked for.
    of_program('big', '/bin/sleep 1000', join ' ', 'Verify', http('big')),
    of_program('sick', '/bin/sleep 1000', 'RestartLimit 1 in 1m',
               "Liveness $type interval=100ms timeout=300ms retries=2 $silent"));
$s->expect_log(qr/AMGR0034: process sick: \w+ -> FATAL/);
$s->start;
my $supervisor = AMGR::Managed::supervisor($s);

sub row { return AMGR::Managed::one($s, @_) }

# ---- while they are asked ----------------------------------------------------

sub attempts {
    return grep { AMGR::Httpd::comm($_) eq 'apache-check' }
        $s->children($supervisor);
}

sub sleepers {
    return grep { AMGR::Httpd::slurp("/proc/$_/cmdline")
                  eq join "\0", 'sleep', NUMBER, '' } $s->all_pids;
}

my ($most_attempts, $most_sleepers) = (0, 0);
my $all;
ok(wait_until(sub {
    my ($attempts, $sleepers) = (scalar(attempts()), scalar(sleepers()));
    $most_attempts = $attempts if $attempts > $most_attempts;
    $most_sleepers = $sleepers if $sleepers > $most_sleepers;
    $all = AMGR::Managed::all($s);
    # What an attempt has forked may end between two looks.
    return $most_sleepers && !grep { ($all->{$_}{checks}{failed} // 0)
                       < ($_ eq 'forks' ? 2 : ENOUGH) } @names;
}, SOON, 'attempts'), 'each of them was tried again and again');
my $now = time;
cmp_ok($most_attempts, '>', 0, 'attempts are processes of their own');
cmp_ok($most_attempts, '<=', @names + 2, 'one of each at a time');
cmp_ok($most_sleepers, '>', 0, 'one that forks has forked');
# Those of one attempt, and of one that is being ended.
cmp_ok($most_sleepers, '<=', 6, 'and was ended with all of it');

for my $name (@names) {
    my $row = $all->{$name};
    my $why = $verify{$name}[2];
    like($row->{reason}, ref $why ? qr/^not ready yet: .*$why/
             : qr/^not ready yet: \Q$why\E$/, "$name: why it is not ready");
    is($row->{checks}{passed}, 0, "$name: not once");
    my $at_most = ($now - $row->{started}) / INTERVAL + 1;
    cmp_ok($row->{checks}{failed}, '<=', $at_most,
           "$name: one attempt to an interval");
}

my $r = order($s, 'restart', 'web');
is("$r->{code} $r->{out}", "0 web: restarted\n", 'orders are obeyed meanwhile');
is($s->json->{supervision}{supervisor}, $supervisor, 'by the same supervisor');
cmp_ok(cpu_seconds($supervisor), '<', 2, 'which it costs little');

# ---- what the peers have seen ---------------------------------------------------

for my $name (grep { $peer{$_} } @names) {
    my @asked = map { $_->[0] } $peer{$name}->seen;
    is(scalar(grep { $_ ne 'GET / HTTP/1.1' } @asked), 0,
       "$name: was asked for one thing alone");
}
for my $name (qw(endless heads)) {
    my @bytes = map { $_->[1] } $peer{$name}->seen;
    is(scalar(grep { $_ >= 50 * MIB } @bytes), 0,
       "$name: nobody waited for the end");
}
ok(AMGR::Managed::wait_for($s, 'big', 'READY'), 'big: is ready by its head');
ok(wait_until(sub { $peer{big}->seen }, SOON, 'the end'), 'big: hung up on');
my ($big) = $peer{big}->seen;
cmp_ok($big->[1], '<', 50 * MIB, 'big: and its body is not read');

# ---- one that was well --------------------------------------------------------

AMGR::Managed::wait_for($s, 'sick', 'FATAL');
is_seen($s, 'sick', { path => RUNS . ' READY STOPPING FATAL', starts => 1,
                      exits => { unhealthy => 1 } });
is((reasons($s, 'sick', 'STOPPING'))[0], 'unhealthy: no answer within 300ms',
   'sick: whoever is silent is not well');
is_told($s, 'sick', qr/AMGR0036: .*: no answer within 300ms$/, 2,
        'which is told each time');

# ---- their end ------------------------------------------------------------------

$r = order($s, 'stop', 'all');
is($r->{code}, 0, 'all are stopped') or diag("$r->{out}$r->{err}");
for my $name (@names) {
    is_seen($s, $name, { path => RUNS . ' ' . STOPS, starts => 1,
                         exits => { ordered => 1 } });
}
ok(wait_until(sub { !sleepers() && !$s->children($supervisor) }, SOON,
              'nobody'), 'no attempt is left, nor what it has started');
is($s->get('/')->code, 200, 'the server serves');
$s->stop_ok;
done_testing();
