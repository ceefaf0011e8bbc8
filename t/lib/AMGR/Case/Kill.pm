# SPDX-License-Identifier: Apache-2.0
#
# `apache-manager -k`: who is over the limits goes, all others live, whoever
# does the killing; and what it says is what was done.
package AMGR::Case::Kill;

use strict;
use warnings;

use AMGR::Case::Retire;
use AMGR::Cli qw(cli);
use AMGR::Httpd qw(wait_until);
use Apache::Test qw(-withtestmore);
use IO::Socket::UNIX;
use POSIX ();
use Socket qw(SOCK_DGRAM);

use constant {
    NOBODY    => 65534,
    END_SEC   => 10,
    LEAK_MB   => 100,
    # A worker is far below it, one that has leaked above.
    LIMIT     => '60M',
};

# As the Python tool's template has them for Zabbix.
my %zabbix = (
    active => qr/apache-manager\[\d+\]: NOTICE Killing .* \(active\)/,
    idle   => qr/apache-manager\[\d+\]: NOTICE Killing .* \(idle\)/,
    wsgi   => qr/apache-manager\[\d+\]: NOTICE Killing WSGI worker/,
);

# A server with the leaking application, in its workers and in a daemon of its
# own; %more as AMGR::Httpd takes it.
sub server {
    my ($mpm, $name, $config, %more) = @_;
    my $s = AMGR::Httpd->new(mpm => $mpm, name => "$mpm-$name",
                             interval => '200ms', %more,
                             modules => ['wsgi', @{ $more{modules} // [] }]);
    my $script = $s->wsgi_script;
    $s->{config} .= <<"END";
ManagerMinAge 1s
$config
WSGIDaemonProcess shop display-name=%{GROUP} processes=1 home=/
WSGIScriptAlias /shop $script process-group=shop application-group=%{GLOBAL}
WSGIScriptAlias /app $script
END
    $s->expect_log(qr/Truncated or oversized response headers/,
                   qr/AMGR0024: lost request/);
    return $s->start;
}

# One run against @a s; options of cli() may come first.
sub kill_run {
    my ($s, @args) = @_;
    my $o = ref $args[0] ? shift @args : {};
    my $r = cli($o, '--url', $s->url('/'), '-k', @args);
    is($r->{out}, '', "@args: standard output is empty");
    return $r;
}

sub ended_well {
    my ($r, $what) = @_;
    return is($r->{code}, 0, "$what: it ends well") || diag($r->{err});
}

# The lines that were said, without the program's name.
sub lines {
    my ($r) = @_;
    my @lines = split /\n/, $r->{err};
    is(scalar(grep { !s/^apache-manager: // } @lines), 0,
       'each line begins with the program\'s name') or diag($r->{err});
    return @lines;
}

sub said {
    my ($r, $pattern, $what) = @_;
    return like($r->{err}, $pattern, $what);
}

# The processes that httpd forked and that obey limits, by pid.
sub workers {
    my ($s) = @_;
    return sort { $a <=> $b } map { $_->{pid} }
        grep { ($_->{kind} eq 'native' || $_->{group} eq 'shop') }
        @{ $s->json->{processes} };
}

sub old_enough {
    my ($s) = @_;
    return AMGR::Case::Retire::grow_up($s);
}

# A syslog of the tool's own: what was written to it so far.
sub syslog {
    my ($s) = @_;
    my $path = $s->path('work/tool-log');
    my $socket = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $path)
        or die "$path: $!\n";
    chmod 0666, $path;
    $socket->blocking(0);
    my %env = (LD_PRELOAD => $s->build_object('syslog'), AMGR_SYSLOG => $path);
    return (\%env, sub {
        my @found;
        while (defined $socket->recv(my $bytes, 8192)) {
            last if $bytes eq '';
            push @found, $bytes;
        }
        return @found;
    });
}

# Seconds since a process was started.
sub age {
    my ($pid) = @_;
    my $start = eval { (AMGR::Httpd::stat_fields($pid))[19] } // return 99;
    my ($up) = AMGR::Httpd::slurp('/proc/uptime') =~ /^([\d.]+)/;
    return $up - $start / 100;
}

# ---- what needs no worker to go -------------------------------------------

sub without_a_kill {
    my ($s) = @_;
    my @before = workers($s);
    my $count = @before;
    my $r = kill_run($s);
    ended_well($r, 'no limits');
    said($r, qr/^apache-manager: No Apache workers killed \(no limits are set\)\.$/m,
         'which is said');
    said($r, qr/limits are set by -a, -i, -t, or in a settings file/,
         'and where there would be some');
    $r = kill_run($s, '-i', '9G');
    ended_well($r, 'a limit that nobody is over');
    said($r, qr/No Apache workers killed \(found \d+ workers within resource usage limits\)\.$/m,
         'which is said');
    $r = kill_run($s, '-n', '-i', '1K', '-a', '1K');
    ended_well($r, 'a dry run');
    said($r, qr/^apache-manager: Would kill native worker \d+ \(idle\) using [\d.]+ MB \(.*\): rss \d+ bytes over --max-memory-idle 1024 bytes, nothing sent$/m,
         'whom it would kill, and why');
    said($r, qr/^apache-manager: Would kill \d+ of $count Apache workers?\.$/m,
         'how many');
    said($r, qr/these are all native workers/, 'and that nobody is left');
    said($r, qr/--max-memory-idle 1\.02 KB is less than a fresh worker has \([\d.]+ MB\)/,
         'and that the limit is below all') if $s->name =~ /^prefork/;
    unlike($r->{err}, qr/Kill(?:ed|ing)/, 'never that it did');
    AMGR::Case::Retire::all_live('nobody is gone', @before);
    $r = kill_run($s, '-q', '-q', '-n', '-i', '1K');
    is($r->{err}, '', '-q -q is silent about it');
    return;
}

# There is nothing to do, but also nobody to do it to.
sub of_a_stopped_server {
    my ($s) = @_;
    my $r = kill_run($s);
    is($r->{code}, 1, 'a server that is down is no success');
    unlike($r->{err}, qr/No Apache workers/, 'and there is nothing to say of it');
    return;
}

# An ordinary user may kill nobody; and says so.
sub as_user {
    my ($s) = @_;
    return if !AMGR::Httpd::is_root();
    my @before = workers($s);
    my $r = kill_run($s, { as_user => NOBODY }, '-i', '1K', '-a', '1K');
    is($r->{code}, 4, 'an ordinary user may not') or diag($r->{err});
    unlike($r->{err}, qr/Killed [1-9]/, 'and has killed nobody');
    AMGR::Case::Retire::all_live('nobody is gone', @before);
    return;
}

# ---- who goes --------------------------------------------------------------

sub idle {
    my ($s, $env) = @_;
    my $pid = AMGR::Case::Retire::leak($s, LEAK_MB);
    $s->wait_ticks(2);
    my @others = grep { $_ != $pid } workers($s);
    my $r = kill_run($s, { env => $env }, '-i', LIMIT);
    ended_well($r, 'an idle worker');
    said($r, qr/^apache-manager: Killing native worker $pid \(idle\) using [\d.]+ MB \(.*\): rss \d+ bytes over --max-memory-idle \d+ bytes/m,
         'who, and why');
    said($r, qr/^apache-manager: Killed 1 of \d+ Apache workers?\.$/m, 'how many');
    ok(!AMGR::Httpd::is_alive($pid), 'it is gone by then');
    AMGR::Case::Retire::all_live('nobody else', @others);
    return;
}

# What it does is finished: its client gets the whole answer.
sub in_flight {
    my ($s, $env) = @_;
    my $request = $s->start_request('/app/leak?s=2&mb=' . LEAK_MB);
    my $pid = wait_for_size($s, LEAK_MB);
    my $r = kill_run($s, { env => $env }, '-a', LIMIT);
    ended_well($r, 'an active worker');
    said($r, qr/Killing native worker $pid \(active\) using .*(?:asked to finish|announced)$/m,
         'is asked');
    said($r, qr/1 of them is finishing its requests/, 'and waited for');
    said($r, qr/^apache-manager: Killed 1 of \d+ Apache workers?\.$/m, 'until it has gone');
    ok($request->wait(END_SEC), 'the answer comes') or return;
    is($request->status, 200, 'whole');
    like($request->body, qr/^pid=$pid /, 'from the worker that was retired');
    return;
}

# The pid of the worker that has so many megabytes.
sub wait_for_size {
    my ($s, $mb) = @_;
    my $found;
    ok(wait_until(sub {
        ($found) = grep { $_->{kind} eq 'native' && $_->{active}
                          && ($_->{rss_bytes} // 0) > $mb * 1024 * 1024 }
            @{ $s->json->{processes} };
        return $found;
    }, END_SEC, 'a big worker'), "a worker of $mb MB");
    return $found ? $found->{pid} : 0;
}

# The pid of a worker whose request is older than this.
sub wait_for_age {
    my ($s, $seconds) = @_;
    my $pid;
    ok(wait_until(sub {
        for my $process (@{ $s->json->{processes} }) {
            $pid = $process->{pid} if grep {
                ($_->{request_age_seconds} // 0) > $seconds
            } @{ $process->{slots} };
        }
        return $pid;
    }, END_SEC, 'a long request'), "a request of $seconds s");
    return $pid // 0;
}

sub hanging {
    my ($s, $env) = @_;
    my $request = $s->start_request('/app/sleep?s=60');
    my $pid = wait_for_age($s, 1.2);
    my $r = kill_run($s, { env => $env }, '-t', '1s');
    ended_well($r, 'a worker that hangs');
    said($r, qr/Killing native worker $pid \(active\) hanging for \d+ seconds? since last request \(GET \/app\/sleep.*\): request age [\d.]+s over --max-time 1s/,
         'who, and why');
    said($r, qr/^apache-manager: 1 of them is not asked first: its only request is over --max-time/m,
         'that it was not asked');
    ok(!AMGR::Httpd::is_alive($pid), 'it is gone');
    $request->close_now;
    return;
}

sub wsgi {
    my ($s, $env) = @_;
    my $pid = AMGR::Case::Retire::leak($s, LEAK_MB, 'shop');
    my $r = kill_run($s, { env => $env }, '-a', LIMIT);
    ended_well($r, 'a WSGI daemon');
    said($r, qr/Killing WSGI worker $pid \(shop\) using [\d.]+ MB \(last request unknown\): /,
         'who, and why');
    ok(!AMGR::Httpd::is_alive($pid), 'it is gone');
    return;
}

# One that was stopped hears nothing; SIGKILL ends it all the same.
sub stuck {
    my ($s) = @_;
    my $pid = AMGR::Case::Retire::leak($s, LEAK_MB);
    $s->wait_ticks(2);
    kill 'STOP', $pid;
    my $r = kill_run($s, '-i', LIMIT);
    ended_well($r, 'a worker that hears nothing');
    said($r, qr/Killing native worker $pid \(idle\)/, 'is told');
    said($r, qr/Killed 1 of \d+ Apache workers?\.$/m, 'and counted');
    ok(!AMGR::Httpd::is_alive($pid), 'it is gone');
    return;
}

sub max_kills {
    my ($s) = @_;
    my @before = grep { AMGR::Httpd::comm($_) ne 'apache-manager' } workers($s);
    my $r = kill_run($s, '-i', '1K', '--max-kills', '1');
    ended_well($r, 'one at most');
    my ($pid) = $r->{err} =~ /Killing native worker (\d+) \(idle\)/;
    ok(!AMGR::Httpd::is_alive($pid // 1), 'one is gone');
    AMGR::Case::Retire::all_live('nobody else', grep { $_ != ($pid // 0) } @before);
    said($r, qr/^apache-manager: Killed 1 of \d+ Apache workers?\.$/m, 'which is said');
    return;
}

# From outside a child of a threaded MPM cannot be asked.
sub threaded {
    my ($s, $env) = @_;
    my $request = $s->start_request('/app/sleep?s=60');
    my $pid = wait_for_age($s, 1.2);
    my $r = kill_run($s, { env => $env }, '-t', '1s');
    ended_well($r, 'a process that hangs');
    said($r, qr/Killing native worker $pid \(active\) hanging for .*, SIGKILL$/m,
         'who, and how');
    said($r, qr/1 worker of a threaded MPM cannot be asked by a signal: SIGKILL cuts off at least 1 request \(as of \d\.\d s ago\); with ManagerSocket it would finish/,
         'what that does');
    unlike($r->{err}, qr/no request lost/, 'of which nobody can know enough');
    ok(!AMGR::Httpd::is_alive($pid), 'it is gone');
    $request->close_now;
    return;
}

# ---- by the ticker ---------------------------------------------------------

# A server whose ticker takes orders.
sub socket_server {
    my ($mpm) = @_;
    return server($mpm, 'socket', "ManagerGracePeriod 10s\n"
                  . "ManagerSocket control.sock\n");
}

# Whom another module protects is named, and nobody says that all is well.
sub vetoed {
    my ($s) = @_;
    my $object = $s->build_object('mod_retirement');
    $s->set_config($s->{config} . "LoadModule retirement_module $object\n"
                   . 'RetirementVeto ' . $s->path('work/veto') . "\n");
    $s->write('work/veto', '');
    $s->restart;
    old_enough($s);
    my $pid = AMGR::Case::Retire::leak($s, LEAK_MB);
    $s->write('work/veto', "$pid\n");
    my $r = kill_run($s, '-i', LIMIT);
    ended_well($r, 'a veto');
    said($r, qr/^apache-manager: worker $pid is left alone: another module protects it$/m,
         'who was protected');
    said($r, qr/No Apache workers killed \(1 over the limits protected by another module\)\.$/m,
         'and that none was killed');
    AMGR::Case::Retire::all_live('it lives', $pid);
    return;
}

# What the ticker did it counts, and tells as it tells its own.
sub by_ticker {
    my ($s, $env) = @_;
    my $name = $s->name;
    my $r = kill_run($s, '-n', '-a', '1K', '-i', '1K');
    ended_well($r, "$name: a dry run");
    unlike($r->{err}, qr/by itself/, "$name: by the ticker");
    said($r, qr/Would kill native worker \d+ .*, nothing sent$/m,
         "$name: told");
    said($r, qr/Would kill \d+ of \d+ Apache workers?\.$/m, "$name: counted");
    is($s->json->{manager}{killed_active} + $s->json->{manager}{killed_idle},
       0, "$name: and nobody was killed");
    in_flight($s, $env);
    is($s->json->{manager}{killed_active}, 1, "$name: the module counts it");
    my ($record) = @{ $s->json->{kills} };
    ok($record->{demanded}, "$name: as an order");
    is(scalar(my @lines = $s->log_lines(qr/Killing /)), 1,
       "$name: one line in the server's log");
    return;
}

sub control_socket { return $_[0]->runtime_file('control.sock') }

# Runs one after another while httpd reloads.
sub through_a_restart {
    my ($s) = @_;
    my $ticker = $s->ticker_pid;
    $s->signal('USR1');
    my ($r, $runs, $alone, $failed) = (undef, 0, 0, 0);
    ok(wait_until(sub {
        $r = cli('--url', $s->url('/'), '-n', '-i', '9G');
        $runs++;
        $alone++ if $r->{err} =~ /by itself/;
        $failed++ if $r->{code} != 0;
        my $now = $s->ticker_pid // $ticker;
        return $now != $ticker && -S control_socket($s);
    }, END_SEC, 'another ticker'), 'a graceful restart');
    is($alone, 0, "none of $runs runs does without the ticker");
    is($failed, 0, 'nor fails') or diag($r->{err});
    return;
}

# The old ticker's socket is gone, the new one's is not there yet.
sub between_tickers {
    my ($s) = @_;
    my $socket = control_socket($s);
    my $request = $s->start_request('/app/leak?s=3&mb=' . LEAK_MB);
    my $pid = wait_for_size($s, LEAK_MB);
    rename $socket, "$socket.away" or die "$socket: $!\n";
    my $helper = fork // die "fork: $!\n";
    if ($helper == 0) {
        select undef, undef, undef, 1;
        # The ticker may have made another meanwhile.
        rename "$socket.away", $socket if !-e $socket;
        POSIX::_exit(0);
    }
    my $r = kill_run($s, '-a', LIMIT);
    waitpid $helper, 0;
    unlink "$socket.away";
    ended_well($r, 'no ticker for a moment');
    said($r, qr/^apache-manager: control socket \S+: .*: waiting for the server's ticker/m,
         'it is waited for');
    unlike($r->{err}, qr/by itself|SIGKILL/, 'and nobody does its work');
    said($r, qr/Killing native worker $pid \(active\) using .*(?:asked to finish|announced)$/m,
         'it asks the worker');
    ok($request->wait(END_SEC), 'the answer comes') or return;
    is($request->status, 200, 'whole');
    return;
}

# It was told, and nobody knows what it will do.
sub unanswered {
    my ($s) = @_;
    my @before = grep { AMGR::Httpd::is_alive($_) } $s->workers;
    my $ticker = $s->ticker_pid;
    $s->expect_log(qr/AMGR0011: /);
    kill 'STOP', $ticker;
    my $r = kill_run($s, '-a', '1K', '-i', '1K');
    is($r->{code}, 1, 'an order without an answer') or diag($r->{err});
    said($r, qr/^apache-manager: control socket \S+: .*: the order was given and not answered: it may have been obeyed$/m,
         'is no success');
    unlike($r->{err}, qr/by itself|Kill/, 'and nothing else is done');
    cmp_ok($r->{seconds}, '<', 10, 'within seconds');
    kill 'CONT', $ticker;
    $s->wait_ticks(2);
    AMGR::Case::Retire::all_live('it is dropped', @before);
    is(scalar(my @lines = $s->log_lines(qr/over --max-memory-idle 1024 bytes/)),
       0, 'nor on record');
    return;
}

# Nobody will listen.
sub without_a_ticker {
    my ($s) = @_;
    my $socket = control_socket($s);
    unlink $socket;
    mkdir $socket or die "$socket: $!\n";
    $s->expect_log(qr/AMGR0032: /);
    my $r = kill_run($s, '-n', '-i', '1K');
    ended_well($r, 'no socket');
    said($r, qr/control socket \S+: it is no socket: this program judges by itself$/m,
         'is not waited for');
    rmdir $socket or die "$socket: $!\n";
    return;
}

# What another user's server answers is shown, and is no word of root's.
sub of_another_user {
    return if !AMGR::Httpd::is_root();
    my $s = server('prefork', 'another-user', "ManagerSocket control.sock\n",
                   as_user => NOBODY);
    my ($env, $lines) = syslog($s);
    old_enough($s);
    my $r = kill_run($s, { env => $env }, '-i', '1K', '--max-kills', '1');
    ended_well($r, "another user's server");
    unlike($r->{err}, qr/by itself/, 'by its ticker');
    said($r, qr/Killing native worker \d+ \(idle\)/, 'is told');
    is(scalar(my @lines = $lines->()), 0, 'and not in syslog');
    $s->stop_ok;
    return;
}

# Each kind has its line in syslog, in the words that are counted there.
sub counted {
    my ($what, $lines, %want) = @_;
    for my $kind (sort keys %want) {
        is(scalar(grep { /$zabbix{$kind}/ } @$lines), $want{$kind},
           "$what: $kind in syslog") or diag(join "\n", @$lines);
    }
    is(scalar(grep { !/^<12>/ } @$lines), 0, "$what: as user.warning");
    return;
}

1;
