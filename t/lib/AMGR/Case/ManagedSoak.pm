# SPDX-License-Identifier: Apache-2.0
#
# Managed processes over very many graceful restarts, under load: one of them
# serves behind a balancer, one is asked all the time whether it lives, one
# writes to the error log all the time.  None of them notices anything, nothing
# grows, and no request is lost.
package AMGR::Case::ManagedSoak;

use strict;
use warnings;

use AMGR::Httpd qw(wait_until);
use AMGR::Load;
use AMGR::Managed;
use Apache::Test qw(-withtestmore);
use Compress::Zlib ();
use List::Util qw(sum0);
use Time::HiRes qw(time);

use constant {
    SOON      => 30,
    WARM_UP   => 10,  # restarts after which nothing happens for the first time
    LINE      => "from behind the balancer\n",
    # Of the supervisor.  Measured was none; pools that were not freed would be
    # 800.  AddressSanitizer keeps for a while what was freed.
    GROWTH_KB => $ENV{AMGR_PRELOAD} ? 20_000 : 400,
};

my @names = qw(web live loud);

# Each holds a lock of its own: a second copy is noted.
my $served = <<'END';
use strict;
use warnings;
use Fcntl qw(:flock);
use IO::Socket::INET;
my ($dir, $name, $port) = @ARGV;
$| = 1;
open my $lock, '>>', "$dir/$name.lock" or die "$dir/$name.lock: $!\n";
if (!flock $lock, LOCK_EX | LOCK_NB) {
    open my $fh, '>>', "$dir/$name.double" or die "$dir: $!\n";
    print $fh "$$\n";
    exit 9;
}
for (my $i = 1; $name eq 'loud'; $i++) {
    print "tick $i\n";
    select undef, undef, undef, 0.01;
}
$SIG{PIPE} = 'IGNORE';
my $body = LINE x 20;
my $listener = IO::Socket::INET->new(LocalAddr => "127.0.0.1:$port",
    Listen => 500, ReuseAddr => 1) or die "$port: $!\n";
while (1) {
    my $client = $listener->accept or next;
    next if $name eq 'live';
    while (<$client>) { last if /^\r?\n$/ }
    print $client "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n"
        . 'Content-Length: ' . length($body) . "\r\n\r\n$body";
    close $client;
}
END

# Room for the workers of several generations.
sub sizes {
    my ($mpm) = @_;
    return <<"END" if $mpm eq 'prefork';
StartServers 10
MinSpareServers 4
MaxSpareServers 30
ServerLimit 150
MaxRequestWorkers 120
END
    return <<"END";
StartServers 2
ThreadsPerChild 12
ThreadLimit 12
MinSpareThreads 12
MaxSpareThreads 72
ServerLimit 60
MaxRequestWorkers 240
END
}

sub section {
    my ($s, $name, $lines) = @_;
    my $dir = AMGR::Managed::state_dir($s);
    my $script = $s->path('work/served.pl');
    my $port = $s->{ports}{$name} // 0;
    return <<"END";
<ManagedProcess $name>
    Command "$^X" "$script" "$dir" $name $port
    PassEnv AMGR_TEST_SERVER
    @{[$lines // '']}
</ManagedProcess>
END
}

sub config {
    my ($s) = @_;
    my %at = map { $_ => "127.0.0.1:$s->{ports}{$_}" } qw(web live);
    # A graceful restart destroys the proxy's mutex of the kind "pthread" while
    # a child of the old generation has not taken it over yet; two threads of
    # that child then set up one member at once, and it crashes.
    return <<"END"
MaxKeepAliveRequests 0
Mutex flock:@{[$s->path('run')]} proxy
<Proxy balancer://shop>
    BalancerMember http://$at{web} retry=0
</Proxy>
ProxyPass /shop/ balancer://shop/
END
        . section($s, 'web', "Verify tcp $at{web} interval=100ms\n"
                  . "    Gate balancer://shop http://$at{web}")
        . section($s, 'live', "Verify tcp $at{live} interval=100ms\n"
                  . "    Liveness tcp $at{live} interval=100ms")
        . section($s, 'loud');
}

sub server {
    my ($mpm) = @_;
    my $s = AMGR::Httpd->new(mpm => $mpm, name => "$mpm-soak",
        mpm_config => sizes($mpm),
        modules => [qw(proxy proxy_http proxy_balancer lbmethod_byrequests
                       slotmem_shm)]);
    AMGR::Managed::prepare($s);
    my $line = LINE =~ s/\n/\\n/r;
    $s->write('work/served.pl', $served =~ s/\bLINE\b/"$line"/r);
    $s->write('htdocs/small.txt', LINE);
    $s->{ports} = { map { $_ => AMGR::Httpd::free_port() } qw(web live) };
    $s->set_config(config($s));
    $s->expect_log(qr/AMGR0037: process loud: .* left out/);
    return $s->start;
}

sub known {
    my ($path, $body) = @_;
    return sprintf '%s#%d:%08x', $path, length $body,
        Compress::Zlib::crc32($body);
}

sub load {
    my ($s) = @_;
    return AMGR::Load->start(
        port => $s->port, timeout_ms => 60000, keep => 3, think => 6,
        think_ms => 25, fresh => 2,
        mix => ['2:' . known('/small.txt', LINE),
                '1:' . known('/shop/', LINE x 20)]);
}

# ---- what is counted --------------------------------------------------------

# Those that are there all the time, and what each of them is called.
sub those {
    my ($s) = @_;
    my %pids = (parent => $s->parent_pid,
                supervisor => AMGR::Managed::supervisor($s));
    for my $name (@names) {
        my $process = AMGR::Managed::wait_for($s, $name, 'READY') or next;
        my (undef, $guard) = AMGR::Httpd::stat_fields($process->{pid});
        @pids{$name, "guard of $name"} = ($process->{pid}, $guard);
    }
    return \%pids;
}

sub in_words {
    my ($of) = @_;
    return join ', ', map { "$_ $of->{$_}" } sort keys %$of;
}

# An attempt has descriptors in the supervisor while it is under way: the
# fewest of several looks count.
sub descriptors {
    my ($pids) = @_;
    my %count;
    for my $look (1 .. 50) {
        for my $name (grep { !/^(?:web|live|loud)$/ } keys %$pids) {
            my $now = () = glob "/proc/$pids->{$name}/fd/*";
            $count{$name} = $now
                if !defined $count{$name} || $now < $count{$name};
        }
        select undef, undef, undef, 0.02;
    }
    return \%count;
}

sub resident_kb {
    my ($pid) = @_;
    my ($kb) = AMGR::Httpd::slurp("/proc/$pid/status") =~ /^VmRSS:\s*(\d+)/m;
    return $kb;
}

# A child that has just ended is one for a moment: nobody stays one.
sub zombies {
    my ($s, $pids) = @_;
    my %seen;
    wait_until(sub {
        my %now = map { $_ => 1 }
            grep { ((AMGR::Httpd::stat_fields($_))[0] // '') eq 'Z' }
            map { AMGR::Managed::tree($s, $_) } @$pids{qw(parent supervisor)};
        $seen{$_}++ for keys %now;
        delete @seen{ grep { !$now{$_} } keys %seen };
        return !%seen;
    }, SOON, 'no zombie');
    return join ' ', sort keys %seen;
}

# ---- the test ---------------------------------------------------------------

sub restart {
    my ($s, $count) = @_;
    for my $i (1 .. $count) {
        $s->graceful or return fail("graceful restart $i");
    }
    return 1;
}

# Once it is under load, what is there for the first time is there.
sub begin {
    my ($mpm) = @_;
    my $s = server($mpm);
    ok(AMGR::Managed::wait_for($s, $_, 'READY'), "$_ is ready") for @names;
    my $load = load($s);
    ok($load->wait_for(300, SOON), 'under load');
    restart($s, WARM_UP);
    return ($s, $load);
}

sub ticks { return $_[0] =~ /process loud: tick (\d+)$/mg }

# What it writes goes to the log that is now the server's, all of it: what was
# left out, since a guard that had no time has found very many lines at once,
# is counted.
sub rotated {
    my ($s) = @_;
    my $old = $s->path('logs/old.log');
    rename $s->log_file, $old or die "rename: $!\n";
    $s->graceful or return fail('graceful restart after a rotation');
    ok(wait_until(sub { ticks($s->log_text) }, SOON, 'a line'),
       'after a rotation it writes to the new log');
    my $before = () = ticks(AMGR::Httpd::slurp($old));
    ok(wait_until(sub { 20 < (() = ticks($s->log_text)) }, SOON, 'more'),
       'and goes on with it');
    my $text = AMGR::Httpd::slurp($old);
    is(scalar(() = ticks($text)), $before, 'and with no other');
    $text .= $s->log_text;
    my @ticks = ticks($text);
    is(scalar(grep { $ticks[$_] <= $ticks[$_ - 1] } 1 .. $#ticks), 0,
       'no line is there twice');
    is($ticks[-1] - $ticks[0] + 1 - @ticks,
       sum0($text =~ /process loud: (\d+) lines of its output were left/g),
       'and none is missing');
    $s->{rotated} = $text;
    return;
}

sub run {
    my ($mpm, $count) = @_;
    my ($s, $load) = begin($mpm);
    my $before = those($s);
    my $fds = descriptors($before);
    my $kb = resident_kb($before->{supervisor});
    my $begun = time;
    restart($s, $count);
    diag(sprintf '%d restarts in %.1f s', $count, time - $begun);
    rotated($s);
    my $configured = () = $s->{rotated} =~ /are configured: 3$/mg;
    cmp_ok($configured, '>', $count + WARM_UP, 'each restart configures them');
    is(in_words(those($s)), in_words($before),
       "after $count restarts all are the same");
    my $all = AMGR::Managed::all($s);
    is($all->{$_}{starts}, 1, "$_ was started once") for @names;
    is(join(' ', map { AMGR::Managed::noted($s, "$_.double") } @names), '',
       'no second copy');
    ok(wait_until(sub { in_words(descriptors($before)) eq in_words($fds) },
                  SOON, 'as many descriptors'), 'no descriptor more')
        or diag(in_words($fds) . '; now ' . in_words(descriptors($before)));
    my $more = resident_kb($before->{supervisor}) - $kb;
    diag("supervisor: $kb KB, $more more");
    cmp_ok($more, '<', GROWTH_KB, 'the supervisor does not grow');
    is(zombies($s, $before), '', 'no zombie');
    my $result = $load->stop;
    is($result->{hard}{total}, 0, 'no request is lost')
        or diag(join "\n", AMGR::Load->lost($result));
    diag("$result->{requests} requests, $result->{stale} stale");
    $s->stop_ok;
    done_testing();
    return;
}

1;
