# SPDX-License-Identifier: Apache-2.0
#
# Situations in which draining is harder than usual: several addresses to
# listen on, several buckets of listeners, a child that no connection wakes,
# an answer without an end.
package AMGR::Case::Situations;

use strict;
use warnings;

use AMGR::Case::Drain;
use AMGR::Httpd qw(wait_until);
use AMGR::Load;
use Apache::Test qw(-withtestmore);
use Time::HiRes qw(sleep time);

use constant {
    GONE_SEC  => 30,
    GRACE_SEC => 3,
    RETIRED   => 6,
};

sub limits {
    my ($more) = @_;
    return <<"END" . ($more // '');
ManagerMaxMemoryActive 64M
ManagerMaxMemoryIdle 64M
ManagerMinAge 1s
ManagerLameDuck 500ms
ManagerGracePeriod 30s
ManagerMaxRetiring 50%
ManagerStormLimit Off
END
}

# Fewer and smaller than under the main load.
sub sizes {
    my ($mpm) = @_;
    return <<"END" if $mpm eq 'prefork';
StartServers 8
MinSpareServers 4
MaxSpareServers 30
ServerLimit 32
MaxRequestWorkers 30
END
    return <<"END";
StartServers 6
ThreadsPerChild 4
ThreadLimit 4
MinSpareThreads 16
MaxSpareThreads 60
ServerLimit 16
MaxRequestWorkers 60
END
}

sub server {
    my ($mpm, $name, %opt) = @_;
    $opt{mpm_config} = sizes($mpm) . ($opt{mpm_config} // '');
    $opt{limits} //= limits();
    return AMGR::Case::Drain::server($mpm, %opt, name => "$mpm-$name");
}

# Its first record that is over.
sub gone {
    my ($s, $pid) = @_;
    my $record;
    ok(wait_until(sub {
        ($record) = grep { $_->{pid} == $pid } @{ $s->json->{kills} };
        sleep 0.1;
        $record && $record->{outcome} ne 'pending';
    }, GONE_SEC, "the end of $pid"), $s->name . ": $pid is over");
    ok(!AMGR::Httpd::is_alive($pid), $s->name . ': it is gone');
    return $record // {};
}

sub pid_of { my ($text) = @_; return $text =~ /^pid=(\d+)/ ? $1 : 0 }

# ---- several sockets -------------------------------------------------------

# Load over all of them while workers are retired.  Options: kept => 0 keeps no
# connection; killed => 1 allows that an idle one is killed in the end.
sub under_load {
    my ($s, $ports, %opt) = @_;
    my %kept = $opt{kept} // 1 ? (keep => 2, think => 2, think_ms => 30) : ();
    my @loads = map {
        (AMGR::Load->start(port => $_, %kept, fresh => 2, timeout_ms => 60000,
                           mix => ['40:/app/pid', '1:/app/sleep?s=0.6',
                                   '1:/app/body?n=40000&s=0.4&chunked=1']),
         AMGR::Load->start(port => $_, fresh => 1, timeout_ms => 60000,
                           mix => ['1:/app/leak?mb=20&s=0.2']))
    } @$ports;
    my $gone = 0;
    ok(wait_until(sub {
        sleep 0.2;
        $gone = grep { $_->{outcome} eq 'gone' } @{ $s->json->{kills} };
        $gone >= RETIRED;
    }, 120, RETIRED . ' retirements'), $s->name . ': ' . RETIRED
        . ' retirements');
    my @results = map { $_->stop } @loads;
    AMGR::Case::Drain::no_loss($s->name, @results);
    my %how;
    for my $record (@{ $s->json->{kills} }) {
        next if $record->{outcome} eq 'pending';
        my $how = "$record->{action} $record->{outcome}";
        $how{$how}++ unless $how eq 'ask gone' || $opt{killed}
            && $how eq 'kill gone' && $record->{requests_lost} == 0;
    }
    is_deeply(\%how, {}, $s->name . ': all of them drained');
    $s->stop_ok;
    return;
}

sub listens {
    my @ports = map { AMGR::Httpd::free_port() } 1 .. 2;
    return ($ports[0], config => join '', map { "Listen 127.0.0.1:$_\n" }
            @ports);
}

# A thread of worker that waits for its turn to accept hears nothing else: it
# goes when its turn comes, or is killed idle.
sub several_listens {
    my ($mpm) = @_;
    my ($port, @config) = listens();
    my $s = server($mpm, 'listens', @config);
    return under_load($s, [$s->port, $port], killed => $mpm eq 'worker');
}

sub cores {
    chomp(my $cores = `getconf _NPROCESSORS_ONLN`);
    return $cores;
}

# Two or three, where there are as many cores.
sub ratio { return cores() < 4 ? 1 : int cores() / 2 }

sub buckets {
    my ($s) = @_;
    my $hex = sprintf '0100007F:%04X', $s->port;
    return scalar(() = AMGR::Httpd::slurp('/proc/net/tcp')
                  =~ /: $hex 00000000:0000 0A/g);
}

# prefork does not care which bucket its idle children listen to: a kept
# connection can hold the last of a bucket, and others wait for it.
sub several_buckets {
    my ($mpm) = @_;
    my $s = server($mpm, 'buckets', mpm_config => 'ListenCoresBucketsRatio '
                   . ratio() . "\n");
    is(buckets($s), int cores() / ratio(), "$mpm: that many buckets");
    return under_load($s, [$s->port], kept => $mpm ne 'prefork');
}

# Nor does it fork for a bucket that is empty while those of another are idle:
# the last of each has to stay, however large it is.
sub last_of_bucket {
    my ($mpm) = @_;
    my $s = server($mpm, 'last-of-bucket', mpm_config => "StartServers 4\n"
                   . "MinSpareServers 1\nListenCoresBucketsRatio "
                   . ratio() . "\n");
    my $held = wait_until(sub {
        $s->get('/app/leak?mb=80');
        sleep 0.2;
        my @held = grep { ($_->{cause} // '') eq 'min_serving' }
            AMGR::Case::Drain::natives($s->json);
        @held >= buckets($s) && @held;
    }, 60, 'nothing but the last of each');
    is($held, buckets($s), "$mpm: the last of each bucket stays");
    my @codes = map { $s->get('/app/pid')->code } 1 .. 20;
    is_deeply([grep { $_ != 200 } @codes], [], "$mpm: all is answered");
    $s->stop_ok;
    return;
}

# ---- a child that no connection wakes --------------------------------------

# It is asked once it is idle, and nobody connects any more: the pages are
# asked only when the data file counts it as gone.
sub idle {
    my ($mpm, $name, %opt) = @_;
    my $s = server($mpm, $name, %opt,
                   limits => limits("ManagerMaxMemoryActive Off\n"
                                    . 'ManagerGracePeriod ' . GONE_SEC
                                    . "s\n"));
    ok($s->wait_ticks(6), "$mpm: six ticks"); # old enough
    my $pid = pid_of($s->get('/app/leak?mb=80')->content);
    my $begun = time;
    ok(wait_until(sub { !AMGR::Httpd::is_alive($pid) }, 2 * GONE_SEC,
                  "the end of $pid"), $s->name . ': an idle one goes alone');
    my $took = time - $begun;
    my $record = gone($s, $pid);
    is($record->{reason}, 'memory_idle', 'because of its memory');
    is($record->{requests}, 0, 'with no request');
    return ($s, $record, $took);
}

sub idle_alone {
    my ($mpm) = @_;
    my ($s, $record, $took) = idle($mpm, 'idle');
    is("$record->{action} $record->{outcome}", 'ask gone', "$mpm: drained");
    cmp_ok($took, '<', GONE_SEC, "$mpm: before its grace period was over");
    $s->stop_ok;
    return;
}

# With several addresses it may wait for its turn to accept, and nobody ends
# that: it is ended harder, before its grace period is over, since it is idle.
sub idle_listens {
    my ($mpm) = @_;
    my (undef, @config) = listens();
    my ($s, $record, $took) = idle($mpm, 'idle-listens', @config);
    is($record->{outcome}, 'gone', "$mpm: gone");
    is($record->{requests_lost} // 0, 0, "$mpm: no request is lost");
    is($record->{action}, 'ask', "$mpm: drained") if $mpm ne 'worker';
    cmp_ok($took, '<', GONE_SEC, "$mpm: before its grace period was over");
    $s->stop_ok;
    return;
}

# ---- an answer without an end ----------------------------------------------

# It is cut off when the grace period is over, and nothing else is.
sub endless {
    my ($mpm) = @_;
    my $s = server($mpm, 'endless', limits => limits(
        'ManagerGracePeriod ' . GRACE_SEC . "s\n"));
    ok($s->wait_ticks(2), "$mpm: two ticks");
    my $load = AMGR::Load->start(port => $s->port, think => 4, think_ms => 20,
                                 fresh => 1, timeout_ms => 60000,
                                 mix => ['9:/app/pid', '1:/app/sleep?s=0.3']);
    my $long = $s->start_request('/app/body?n=80000&s=900&chunked=1&mb=80');
    my $begun = time;
    my $victim;
    ok(wait_until(sub {
        ($victim) = map { $_->{pid} } @{ $s->json->{kills} };
        sleep 0.1;
        $victim;
    }, GONE_SEC, 'a record'), "$mpm: who sends it is retired");
    my $record = gone($s, $victim // 0);
    cmp_ok(time - $begun, '>=', GRACE_SEC, "$mpm: it had its grace period");
    is("$record->{action} $record->{outcome}", 'kill gone',
       "$mpm: and was killed then");
    $long->wait(30);
    is($long->status, 200, "$mpm: its answer had begun");
    unlike($long->bytes, qr/\r\n0\r\n\r\n\z/, "$mpm: and was cut off");
    AMGR::Case::Drain::no_loss("$mpm: all others", $load->stop);
    $s->stop_ok;
    return;
}

# ---- all of them -----------------------------------------------------------

sub run {
    my ($mpm) = @_;
    several_listens($mpm);
    several_buckets($mpm);
    # One core has one bucket.
    last_of_bucket($mpm) if $mpm eq 'prefork' && cores() > 1;
    idle_alone($mpm);
    idle_listens($mpm);
    endless($mpm);
    done_testing();
    return;
}

1;
