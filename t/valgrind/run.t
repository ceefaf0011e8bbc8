#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# `make test-valgrind`: whole servers under memcheck, with a ticker, a
# supervisor, guards, attempts and children, through all that happens to a
# server.  No process of them may have an error, and nothing that our code asks
# for may stay with each tick or each run.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Httpd qw(wait_until);
use AMGR::Managed;
use AMGR::Valgrind;
use Apache::Test qw(-withtestmore);
use Time::HiRes qw(time);

use constant {
    SOON => 120,   # everything is slow here
    TICKS => 40,   # of one ticker at least
    RUNS => 25,    # of the process that ends again and again
    # So many blocks of one stack are no sign of growth: what is made once for
    # each place in a table is one block of many.
    FEW_BLOCKS => 12,
};

my @pages = ('', '?auto', '/status.json', '/metrics', '/metrics.txt',
             '/processes', '/ready', '/assets/page.css', '?sort=memory');

# Two sections of managed processes, a lock to hang at, and a time limit.
sub server {
    my ($mpm) = @_;
    my $s = AMGR::Httpd->new(mpm => $mpm, interval => '100ms',
                             name => "$mpm-valgrind");
    AMGR::Managed::prepare($s);
    my $module = $s->build_object('mod_hold');
    my $log = $s->path('work/web.log');
    my $ready = $s->write('work/web.ready', '');
    my $port = AMGR::Httpd::free_port();
    $s->{config} = <<"END" . AMGR::Managed::section($s, 'web', <<"WEB");
Listen 127.0.0.1:$port
LoadModule hold_module $module
ManagerMinAge 100ms
<Location "/manager-status">
    ManagerControl On
</Location>
<Location "/hold">
    SetHandler hold
    Require local
    ManagerMaxTime 2s
</Location>
<ManagedProcess again>
    Command /bin/sleep 0.1
    Restart always
    RestartDelay 100ms factor=1 jitter=0%
    RestartLimit Off
</ManagedProcess>
END
    Output "|/usr/bin/rotatelogs $log 10M"
    Verify file $ready interval=200ms timeout=20s
    Liveness http http://127.0.0.1:$port/index.html interval=500ms timeout=60s
    StartTimeout 5m
WEB
    return $s;
}

# What there is now, by its part.
sub look {
    my ($s, $seen) = @_;
    my $supervisor = AMGR::Managed::supervisor($s);
    my $ticker = $s->ticker_pid;
    $seen->{$s->{pid}} = 'parent';
    $seen->{$supervisor} = 'supervisor' if $supervisor;
    $seen->{$ticker} = 'ticker' if $ticker;
    $seen->{$_} //= 'guard' for $supervisor ? $s->children($supervisor) : ();
    $seen->{$_} //= 'worker' for $s->children;
    return;
}

sub asks {
    my ($s) = @_;
    for my $page (@pages) {
        my $answer = $s->get("/manager-status$page");
        # One that begins again and again is not ready for most of the time.
        like($answer->code, $page eq '/ready' ? qr/^(?:200|503)$/ : qr/^200$/,
             $s->name . ": GET $page");
    }
    return;
}

sub orders {
    my ($s) = @_;
    my $web = AMGR::Managed::one($s, 'web');
    my $token = $s->json('/manager-status/processes')->{token};
    my @proof = ('X-Manager-Token' => $token);
    my $answer = $s->request(
        POST => '/manager-status/processes/web/restart?wait=60', @proof);
    is($answer->code, 200, $s->name . ': restarted by order')
        or diag($answer->content);
    ok(AMGR::Managed::wait_for($s, 'web', 'READY', $web->{pid}),
       $s->name . ': ready again');
    is($s->request(POST => '/manager-status/processes/web/stop',
                   'X-Manager-Token' => 'no')->code, 403,
       $s->name . ': refused without a proof');
    $s->expect_log(qr/AMGR0045: /);
    return;
}

sub retires {
    my ($s) = @_;
    my $request = $s->start_request('/hold?secs=600');
    ok(wait_until(sub {
        grep { $_->{outcome} ne 'pending' } @{ $s->json->{kills} };
    }, SOON, 'a worker is retired'), $s->name . ': a worker that hangs ends');
    return;
}

sub lives {
    my ($s) = @_;
    my %seen;
    my $name = $s->name;
    ok(AMGR::Managed::wait_for($s, 'web', 'READY'), "$name: one is ready");
    look($s, \%seen);
    asks($s);
    orders($s);
    look($s, \%seen);
    retires($s);
    ok($s->wait_ticks(TICKS, SOON), "$name: ticks");
    ok(wait_until(sub {
        my $again = AMGR::Managed::one($s, 'again');
        my $web = AMGR::Managed::one($s, 'web');
        $again && $again->{starts} >= RUNS && $web->{checks}{passed} > 2;
    }, SOON, 'many runs'), "$name: one is started again and again")
        or diag(explain(AMGR::Managed::all($s)));
    look($s, \%seen);
    ok($s->graceful, "$name: a graceful restart");
    ok($s->wait_ticks(5), "$name: it ticks");
    look($s, \%seen);
    ok($s->restart, "$name: a full restart");
    ok($s->wait_ticks(5), "$name: it ticks");
    asks($s);
    look($s, \%seen);
    # So slow a child of worker can find its accept mutex gone while it ends, in
    # one of three stops without the module as well.
    $s->expect_log(qr/AH00274: apr_proc_mutex_unlock failed/);
    $s->stop_ok;
    return \%seen;
}

# Told in full, each once, whichever processes have it.
sub none {
    my ($name, @texts) = @_;
    my %times;
    for my $text (@texts) {
        (my $same = $text) =~ s/0x[0-9A-F]+: //g;
        $times{$same}++ or diag($text);
    }
    return is(scalar @texts, 0, $name);
}

sub judges {
    my ($name, $seen, @logs) = @_;
    my %of = map { $_->{pid} => $_ } @logs;
    my %ended;
    for my $pid (keys %$seen) {
        $ended{ $seen->{$pid} }++ if $of{$pid} && $of{$pid}{has_ended};
    }
    for my $part (qw(parent ticker supervisor guard worker)) {
        ok($ended{$part}, "$name: the end of a $part was seen");
    }
    # One more of each: restarts end tickers.
    cmp_ok($ended{ticker} // 0, '>=', 2, "$name: and of several tickers");
    none("$name: no error", map { "process $_->{pid} ("
        . ($seen->{ $_->{pid} } // 'one more') . "):\n@{ $_->{errors} }" }
        grep { @{ $_->{errors} } } @logs);
    none("$name: nothing of ours grows", map { $_->{text} }
         grep { $_->{blocks} > FEW_BLOCKS } map { @{ $_->{kept} } } @logs);
    diag("$name: ", scalar(@logs), ' processes, ',
         join ', ', map { "$ended{$_} $_" } sort keys %ended);
    return;
}

# What finds nothing has to be able to.
sub control {
    my $s = AMGR::Httpd->new(mpm => 'event', name => 'control');
    my $faults = $s->build_object('memory_faults');
    my $v = AMGR::Valgrind->new($s, ours => qr/memory_faults/);
    local $ENV{LD_PRELOAD} = join ' ', $v->shims, $faults;
    system($v->command, '/bin/true');
    isnt($?, 0, 'control: an error is an exit status');
    my ($log) = $v->logs;
    my $errors = join "\n", @{ $log->{errors} };
    like($errors, qr/uninitialised.*use_nothing/s, 'control: bytes of nobody');
    like($errors, qr/Invalid read.*use_gone/s, 'control: a pool that is gone');
    like($errors, qr/definitely lost.*lose_one/s, 'control: a lost block');
    is_deeply([map { $_->{blocks} } grep { $_->{text} =~ /keep_many/ }
               @{ $log->{kept} }], [100], 'control: blocks that are kept');
    return;
}

control();
for my $mpm (AMGR::Httpd::mpms()) {
    my $begun = time;
    my $s = server($mpm);
    my $v = AMGR::Valgrind->new($s)->run_under($s);
    $s->start;
    my $seen = lives($s);
    judges($s->name, $seen, $v->logs);
    diag(sprintf '%s: %.0f s', $s->name, time - $begun);
}
done_testing();
