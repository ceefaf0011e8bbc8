# SPDX-License-Identifier: Apache-2.0
#
# Orders by the control socket: who is obeyed, whom it hits, what becomes of it,
# and that neither a client nor a restart upsets the socket.  The configuration
# ticks once an hour and is a dry run: all that happens was ordered.
package AMGR::Case::Control;

use strict;
use warnings;

use AMGR::Control qw(order say_line connect_to hear);
use AMGR::Httpd qw(wait_until);
use AMGR::Load;
use AMGR::Schema qw(schema_errors);
use Apache::Test qw(-withtestmore);
use Compress::Zlib ();
use JSON::PP ();
use POSIX ();
use Time::HiRes qw(sleep time);

use constant NOBODY => 65534;

my %parts = (
    prefork => [\&socket_file, \&dry_run, \&idle_under_load, \&in_flight,
                \&hanging, \&gone, \&garbage, \&strangers, \&many_clients,
                \&graceful, \&stale],
    event   => [\&socket_file, \&dry_run, \&drains, \&hanging, \&veto,
                \&taken_path, \&unsafe_place],
);

sub run {
    my ($mpm) = @_;
    my $s = server($mpm);
    $_->($s) for @{ $parts{$mpm} };
    is_deeply([schema_errors($s->get('/manager-status/status.json')->content)],
              [], 'status.json obeys its schema');
    $s->stop_ok;
    ok(!-e sock($s), 'no socket is left');
    done_testing();
    return;
}

sub server {
    my ($mpm) = @_;
    my $s = AMGR::Httpd->new(mpm => $mpm, interval => '1h',
                             modules => ['wsgi'],
                             mpm_config => sizes($mpm));
    my $object = $s->build_object('mod_retirement');
    my $script = $s->wsgi_script;
    $s->write('htdocs/small.txt', small());
    $s->{config} .= "LoadModule retirement_module $object\n"
        . 'RetirementVeto ' . $s->path('work/veto') . "\n"
        . "ManagerSocket control.sock\nManagerDryRun On\n"
        . "ManagerGracePeriod 10s\nWSGIScriptAlias /app $script\n";
    return $s->start;
}

sub sizes {
    my ($mpm) = @_;
    return <<"END" if $mpm eq 'prefork';
StartServers 8
MinSpareServers 6
MaxSpareServers 20
ServerLimit 32
MaxRequestWorkers 32
END
    return AMGR::Httpd::mpm_sizes($mpm);
}

sub small { return "small and known\n" x 8 }

sub sock { my ($s) = @_; return $s->runtime_file('control.sock') }

sub retire {
    my ($s, %order) = @_;
    return order(sock($s), { order => 'retire', %order });
}

# An order about idle workers, given until it finds one: they begin, and end
# with their connections, when they get to it.
sub retire_idle {
    my ($s, %order) = @_;
    my $answer;
    wait_until(sub {
        $answer = retire($s, max_memory_idle_bytes => 1, %order);
        @{ $answer->{retirements} } || @{ $answer->{vetoed} };
    }, 20, 'somebody idle');
    return $answer;
}

# The socket is there and answers.
sub answers {
    my ($s, $what, $timeout) = @_;
    return ok(wait_until(sub {
        my $text = say_line(sock($s), qq({"order":"tick"}\n)) // '';
        $text =~ /"ok":true/;
    }, $timeout // 10, $what), $what);
}

# The record of what was ordered of this worker, once its end was seen: the
# server is looked at without anybody's doing.
sub record {
    my ($s, $pid) = @_;
    my $record;
    wait_until(sub {
        ($record) = grep { $_->{pid} == $pid && $_->{demanded}
                           && $_->{outcome} ne 'dry_run' }
            @{ $s->json->{kills} };
        $record && $record->{outcome} ne 'pending';
    }, 15, "a finished record of $pid");
    ok($record, "there is a record of $pid") or return {};
    return $record;
}

sub no_true { return JSON::PP::false() }
sub yes     { return JSON::PP::true() }

# ---- the parts --------------------------------------------------------------

sub socket_file {
    my ($s) = @_;
    answers($s, 'a tick is to be had');
    my @stat = lstat sock($s);
    is(sprintf('%o', $stat[2] & 07777), '600', 'its mode');
    ok(-S _, 'it is a socket');
    cmp_ok(index(AMGR::Httpd::slurp($s->board_file), sock($s) . "\0"), '>', 0,
           'the board tells where it is');
    my $answer = order(sock($s), { order => 'tick' });
    is($answer->{pid}, $s->ticker_pid, 'the ticker listens');
    cmp_ok(abs($answer->{time} - time), '<', 5, 'and has looked just now');
    is(join(' ', sort keys %$answer), 'ok pid time', 'that is all of it');
    return;
}

sub dry_run {
    my ($s) = @_;
    my @before = $s->workers;
    my $suppressed = $s->json->{manager}{suppressed}{dry_run};
    my $answer = retire_idle($s, max_kills => 1, dry_run => yes());
    ok($answer->{ok}, 'a dry run');
    is($answer->{grace_us}, 10_000_000, 'the grace period');
    is($answer->{syslog}, no_true(), 'nothing goes to syslog');
    cmp_ok($answer->{workers}, '>=', scalar @before, 'workers');
    is(scalar @{ $answer->{retirements} }, 1, 'as many as ordered');
    my ($one) = @{ $answer->{retirements} };
    is($one->{outcome}, 'dry_run', 'its outcome');
    is($one->{action}, 'none', 'nothing is done');
    like($one->{line}, qr/^Would kill native worker $one->{pid} \(idle\) using .*: rss \d+ bytes over --max-memory-idle 1 bytes, nothing sent$/,
         'its line');
    unlike($one->{line}, qr/Killing/, 'which does not claim more');
    my ($record) = grep { $_->{pid} == $one->{pid} } @{ $s->json->{kills} };
    is($record->{outcome}, 'dry_run', 'it is on record');
    is($record->{demanded}, yes(), 'as ordered');
    is($s->json->{manager}{suppressed}{dry_run}, $suppressed,
       'an order suppresses nothing');
    is(join(' ', grep { !AMGR::Httpd::is_alive($_) } @before), '',
       'nobody is gone');
    is($s->json->{manager}{killed_idle}, 0, 'nor counted');
    return;
}

# Workers that go by order, one after another, while all are in use.
sub idle_under_load {
    my ($s) = @_;
    my $crc = sprintf '%d:%08x', length small(), Compress::Zlib::crc32(small());
    my $load = AMGR::Load->start(port => $s->port, keep => 2, fresh => 2,
                                 mix => ["1:/small.txt#$crc"]);
    ok($load->wait_for(50, 20), 'there is load');
    my %gone;
    for my $turn (1 .. 4) {
        my $answer = retire_idle($s, max_kills => 2);
        $gone{ $_->{pid} } = $_ for @{ $answer->{retirements} };
    }
    cmp_ok(scalar keys %gone, '>=', 4, 'some were idle');
    is(join(' ', grep { $gone{$_}{action} ne 'ask' } keys %gone), '',
       'all of them were asked');
    is(join(' ', grep { $gone{$_}{active} } keys %gone), '', 'being idle');
    ok(wait_until(sub { !grep { AMGR::Httpd::is_alive($_) } keys %gone }, 10,
                  'their end'), 'and go');
    my $result = $load->stop;
    is($result->{hard}{total}, 0, 'no request was lost')
        or diag(AMGR::Load->lost($result));
    my ($pid) = keys %gone;
    my $record = record($s, $pid);
    is($record->{outcome}, 'gone', 'the record tells');
    is($record->{requests_lost}, undef, 'that nothing was cut off');
    is($s->json->{manager}{killed_idle}, scalar keys %gone, 'they are counted');
    return;
}

# On event idle processes are drained, since connections may wait in them.
sub drains {
    my ($s) = @_;
    my $answer = retire_idle($s, max_kills => 1);
    my ($one) = @{ $answer->{retirements} };
    is($one->{action}, 'ask', 'it is asked') or return;
    my $record = record($s, $one->{pid});
    is($record->{outcome}, 'gone', 'and goes');
    is($record->{killed_seconds}, undef, 'without a signal');
    return;
}

# The worker whose request has run for a moment; asking a page would keep one
# busy too.
sub running {
    my ($s) = @_;
    my $one;
    wait_until(sub {
        ($one) = @{ retire($s, max_time_us => 300_000,
                           dry_run => yes())->{retirements} };
    }, 10, 'a request that is old');
    return $one;
}

# A request in flight is waited for.
sub in_flight {
    my ($s) = @_;
    my $request = $s->start_request('/app/sleep?s=2');
    my $busy = running($s);
    ok($busy, 'a worker with a request') or return;
    my $answer = retire($s, max_memory_active_bytes => 1);
    my ($one) = grep { $_->{pid} == $busy->{pid} } @{ $answer->{retirements} };
    ok($one, 'it is retired') or return;
    is($one->{active}, yes(), 'it is active');
    is($one->{action}, 'ask', 'it is asked');
    like($one->{line}, qr/over --max-memory-active 1 bytes, asked to finish$/,
         'as its line says');
    $answer = retire($s, max_memory_active_bytes => 1);
    is(scalar(grep { $_->{pid} == $one->{pid} } @{ $answer->{retirements} }),
       0, 'once');
    ok($request->wait(10), 'the request ends');
    is($request->status, 200, 'whole');
    my $record = record($s, $one->{pid});
    is($record->{outcome}, 'gone', 'then the worker goes');
    is($record->{action}, 'ask', 'by itself');
    like($request->body, qr/^pid=$one->{pid}\b/, 'which was the one');
    return;
}

# What hangs is killed: at once where a process has one request, else once it
# has heard that it shall take no other.
sub hanging {
    my ($s) = @_;
    my $request = $s->start_request('/app/sleep?s=60');
    ok(running($s), 'one hangs');
    my $answer = retire($s, max_time_us => 300_000);
    my ($one) = @{ $answer->{retirements} };
    is($one->{action}, $s->mpm eq 'prefork' ? 'kill' : 'ask', 'its first step');
    like($one->{line}, qr/ hanging for .*: request age [\d.]+s over --max-time 300ms, /,
         'its line');
    my $record = record($s, $one->{pid});
    is($record->{action}, 'kill', 'it is killed');
    is($record->{reason}, 'time', 'for its time');
    is($record->{limit}, 0.3, 'by the limit of the order');
    is($record->{requests_lost}, 1, 'which costs that request');
    cmp_ok($record->{killed_seconds}, '<', 8, 'without a grace period');
    ok($request->wait(10), 'the client sees the end of it');
    cmp_ok($s->json->{manager}{killed_active}, '>=', 1, 'it is counted');
    return;
}

sub garbage {
    my ($s) = @_;
    my @lines = (
        "\n", "x\n", "{}\n", "[]\n", "null\n", "{\"order\":\"kill\"}\n",
        "{\"order\":\"retire\",\"max_kils\":1}\n",
        "{\"order\":\"retire\",\"max_kills\":-1}\n",
        "{\"order\":\"retire\",\"max_kills\":1.5}\n",
        "{\"order\":\"retire\",\"max_kills\":\"1\"}\n",
        "{\"order\":\"retire\",\"max_kills\":2147483648}\n",
        "{\"order\":\"retire\",\"max_kills\":1,\"max_kills\":1}\n",
        "{\"order\":\"retire\",\"max_memory_idle_bytes\":0}\n",
        "{\"order\":\"retire\",\"max_time_us\":null}\n",
        "{\"order\":\"retire\",\"dry_run\":1}\n",
        "{\"order\":\"retire\"}{\"order\":\"retire\"}\n",
        "{\"order\":\"retire\"}\n{\"order\":\"retire\"}\n",
        "{\"order\":\"retire\"}\nx",
        "{\"order\":\"tick\",\"max_kills\":1}\n",
        "{\"order\":\"tick\\u0000\"}\n", "{\"order\":\"tick\0\"}\n",
        "\xff\xfe\0\n", 'x' x 4096, 'x' x 300_000,
        '{"order":"retire","max_memory_idle_bytes":' . ' ' x 4060 . "1}\n",
    );
    for my $line (@lines) {
        my $answer = say_line(sock($s), $line);
        like($answer // 'nothing', qr/\A\{"ok":false,"error":"[^"]+"\}\n\z/,
             'refused: ' . JSON::PP->new->ascii->allow_nonref->encode(
                 substr $line, 0, 60));
    }
    my $socket = connect_to(sock($s));
    syswrite $socket, '{"order":"ti';
    shutdown $socket, 1;
    like(hear($socket) // '', qr/"ok":false/, 'half a line is refused');
    $socket = connect_to(sock($s));
    syswrite $socket, qq({"order":"tick"}\n);
    shutdown $socket, 1;
    like(hear($socket) // '', qr/"ok":true/, 'a client may say that it is done');
    $socket = connect_to(sock($s));
    syswrite $socket, substr qq({"order":"tick"}\n), $_, 1 for 0 .. 16;
    like(hear($socket) // '', qr/"ok":true/, 'or say it in pieces');
    return;
}

# What somebody else hears: an errno of connect, or the answer.
sub as_nobody {
    my ($path) = @_;
    pipe my $from, my $to or die "pipe: $!\n";
    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {
        $SIG{PIPE} = 'IGNORE';
        POSIX::setgid(NOBODY);
        POSIX::setuid(NOBODY);
        my $socket = connect_to($path);
        my $error = $! + 0;
        my $said = $socket ? do { syswrite $socket, qq({"order":"tick"}\n);
                                  hear($socket) } : "errno $error";
        syswrite $to, $said // 'nothing';
        POSIX::_exit(0);
    }
    close $to;
    local $/;
    my $text = <$from>;
    waitpid $pid, 0;
    return $text;
}

# Only root can try it as somebody else.
sub strangers {
    my ($s) = @_;
    return unless AMGR::Httpd::is_root();
    is(as_nobody(sock($s)), 'errno ' . POSIX::EACCES(),
       'others may not connect');
    chmod 0666, sock($s) or die sock($s) . ": $!\n";
    like(as_nobody(sock($s)), qr/\A\{"ok":false,"error":"orders are/,
         'nor give orders when somebody lets them');
    as_nobody(sock($s));
    is(scalar(my @l = $s->log_lines(qr/:warn\].*AMGR0033: .* uid @{[NOBODY]} /)),
       1, 'which the log says once');
    chmod 0600, sock($s);
    $s->expect_log(qr/AMGR0033: /);
    return;
}

# Those who say nothing are not waited for, and those who hurry wait.
sub many_clients {
    my ($s) = @_;
    my @mute = map { connect_to(sock($s)) } 1 .. 4;
    my $begun = time;
    ok(order(sock($s), { order => 'tick' })->{ok}, 'beside four that say nothing');
    cmp_ok(time - $begun, '<', 20, 'in time');
    is(scalar(grep { defined hear($_, 5) } @mute), 4, 'which are hung up on');

    my @pids;
    $begun = time;
    for (1 .. 50) {
        my $pid = fork // die "fork: $!\n";
        if ($pid == 0) {
            my $text = say_line(sock($s), qq({"order":"tick"}\n), 30) // '';
            POSIX::_exit($text =~ /"ok":true/ ? 0 : 1);
        }
        push @pids, $pid;
    }
    is(scalar(grep { waitpid($_, 0) == $_ && $? } @pids), 0,
       'fifty at once are all obeyed');
    cmp_ok(time - $begun, '>=', 4.5, 'ten a second');
    return;
}

# Whoever gave up waiting may have helped himself: nothing is done twice.
sub gone {
    my ($s) = @_;
    my $ticker = $s->ticker_pid;
    my $orders = () = $s->log_lines(qr/AMGR0001: /);
    kill 'STOP', $ticker;
    my $socket = connect_to(sock($s));
    my $sent = $socket
        && syswrite $socket, qq({"order":"retire","max_memory_idle_bytes":1,)
                             . qq("max_memory_active_bytes":1}\n);
    close $socket if $socket;
    kill 'CONT', $ticker;
    ok($sent, 'an order whose giver does not wait');
    answers($s, 'the next one is answered');
    is(scalar(() = $s->log_lines(qr/AMGR0001: /)), $orders, 'it is dropped');
    return;
}

sub graceful {
    my ($s) = @_;
    my $ticker = $s->ticker_pid;
    ok($s->graceful, 'a graceful restart');
    ok(wait_until(sub { ($s->ticker_pid // $ticker) != $ticker }, 10,
                  'another ticker'), 'another ticker');
    answers($s, 'it listens at the same place');
    is(order(sock($s), { order => 'tick' })->{pid}, $s->ticker_pid,
       'and is the one that answers');
    return;
}

# A ticker that is killed leaves its socket, which hinders neither the next one
# nor the end.
sub stale {
    my ($s) = @_;
    $s->expect_log(qr/AMGR0011: /);
    my $ticker = $s->ticker_pid;
    kill 'KILL', $ticker;
    wait_until(sub { !AMGR::Httpd::is_alive($ticker) }, 5, 'its end');
    ok(-S sock($s), 'a killed ticker leaves its socket');
    ok(!connect_to(sock($s)) || ($s->ticker_pid // $ticker) != $ticker,
       'at which nobody listens before the next one');
    ok($s->graceful, 'a graceful restart');
    answers($s, 'the next one has made its own');
    $ticker = $s->ticker_pid;
    kill 'KILL', $ticker;
    wait_until(sub { !AMGR::Httpd::is_alive($ticker) }, 5, 'its end');
    ok(-S sock($s), 'one is left again, for the end');
    return;
}

sub veto {
    my ($s) = @_;
    my $file = $s->write('work/veto', '');
    my $answer = retire_idle($s, max_kills => 1);
    is(scalar @{ $answer->{retirements} }, 0, 'a veto holds');
    cmp_ok(scalar @{ $answer->{vetoed} }, '>=', 1, 'and is told');
    ok(AMGR::Httpd::is_alive($answer->{vetoed}[0]), 'of a worker that lives');
    unlink $file or die "$file: $!\n";
    return;
}

# Something else at the path is left alone, and tried again.
sub taken_path {
    my ($s) = @_;
    my $taken = $s->runtime_file('taken.sock');
    my $file = $s->write('run/taken.sock', "mine\n");
    my $old = sock($s);
    my $config = $s->{config};
    $s->expect_log(qr/AMGR0032: /);
    $s->set_config($config =~ s/control\.sock/taken.sock/r);
    ok($s->graceful, 'another path');
    ok(wait_until(sub { $s->log_lines(qr/:warn\].*AMGR0032: .*taken\.sock/) },
                  10, 'a warning'), 'which is taken: a warning');
    ok(!-e $old, 'the old socket is gone');
    is(AMGR::Httpd::slurp($file), "mine\n", 'the file is as it was');
    is($s->get('/small.txt')->code, 200, 'the server serves');
    ok(wait_until(sub { $s->json->{manager}{errors}{ticker} >= 1 }, 10,
                  'an error'), 'it is counted');
    unlink $file or die "$file: $!\n";
    ok(wait_until(sub { -S $taken }, 15, 'the socket'), 'it is tried again');
    is(order($taken, { order => 'tick' })->{ok}, yes(), 'and works');
    ok($s->log_lines(qr/:notice\].*AMGR0032: .*taken\.sock takes orders/),
       'which the log says');
    unlink $taken or die "$taken: $!\n";
    ok(wait_until(sub { -S $taken }, 15, 'the socket'),
       'one that somebody removes is made anew');
    $s->set_config($config);
    ok($s->graceful, 'the first path');
    ok(wait_until(sub { !-e $taken }, 10, 'its end'), 'the other is taken away');
    answers($s, 'the first is there again');
    return;
}

sub unsafe_place {
    my ($s) = @_;
    my $config = $s->{config};
    my $dir = $s->path('work/open');
    mkdir $dir or die "$dir: $!\n";
    chmod 0777, $dir or die "$dir: $!\n";
    $s->set_config($config =~ s{control\.sock}{$dir/x.sock}r);
    $s->mark_log;
    ok($s->graceful, 'a place that everybody may change');
    ok(wait_until(sub { $s->log_lines(qr/:warn\].*AMGR0032: .*others may/) },
                  10, 'a warning'), 'a warning');
    ok(!-e "$dir/x.sock", 'and no socket');
    $s->set_config($config);
    ok($s->graceful, 'the first path');
    answers($s, 'is there again');
    return;
}

1;
