# SPDX-License-Identifier: Apache-2.0
#
# The server of a run: workers that are recycled all the time, a time limit that
# only a stopped one ever reaches, and managed processes of every kind, two of
# them behind a balancer.
package Chaos::Server;

use strict;
use warnings;

use AMGR::Httpd ();
use AMGR::Load;
use AMGR::Managed;
use Compress::Zlib ();
use Chaos::Place;

use constant {
    LINE     => "from behind the balancer\n",
    BODY     => 20, # of these lines
};

# Each holds a lock of its own, so that a second copy is noted, and does what
# its name says.
my $served = <<'END';
use strict;
use warnings;
use Fcntl qw(:flock);
use IO::Socket::INET;
use IO::Socket::UNIX;
use Socket qw(SOCK_DGRAM);
my ($dir, $name, $port) = @ARGV;
$| = 1;
open my $lock, '>>', "$dir/$name.lock" or die "$dir/$name.lock: $!\n";
if (!flock $lock, LOCK_EX | LOCK_NB) {
    open my $fh, '>>', "$dir/$name.double" or die "$dir: $!\n";
    print $fh "$$\n";
    exit 9;
}
sub pause { select undef, undef, undef, $_[0] }
for (my $i = 1; $name eq 'loud'; $i++) {
    print "line $i of what it writes all the time\n";
    pause(0.02);
}
if ($name eq 'notifier') {
    my $to = IO::Socket::UNIX->new(Type => SOCK_DGRAM,
        Peer => $ENV{NOTIFY_SOCKET} =~ s/^@/\0/r) or die "notify: $!\n";
    $to->send("READY=1\n");
    while (1) {
        $to->send("WATCHDOG=1\n");
        pause(0.2);
    }
}
$SIG{PIPE} = 'IGNORE';
my $body = 'LINE' x 20;
my $listener = IO::Socket::INET->new(LocalAddr => "127.0.0.1:$port",
    Listen => 500, ReuseAddr => 1) or die "$port: $!\n";
while (1) {
    my $client = $listener->accept or next;
    my $request = <$client> // next;
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
StartServers 12
MinSpareServers 8
MaxSpareServers 24
ServerLimit 120
MaxRequestWorkers 100
END
    return <<"END";
StartServers 4
ThreadsPerChild 10
ThreadLimit 10
MinSpareThreads 30
MaxSpareThreads 80
ServerLimit 60
MaxRequestWorkers 240
END
}

my $quick = <<'END';
    RestartDelay 200ms factor=1.5 max=1s jitter=10%
    RestartLimit Off
    Restart always
    StopTimeout 2s
END

sub section {
    my ($s, $name, $lines) = @_;
    my $dir = AMGR::Managed::state_dir($s);
    my $port = $s->{ports}{$name} // 0;
    return <<"END";
<ManagedProcess $name>
    Command "$^X" "@{[$s->path('work/served.pl')]}" "$dir" $name $port
    PassEnv AMGR_TEST_SERVER
$quick    @{[$lines // '']}
</ManagedProcess>
END
}

sub web {
    my ($s, $name) = @_;
    my $at = "127.0.0.1:$s->{ports}{$name}";
    return section($s, $name, <<"END");
After store
    RequireFree tcp://$at
    Verify http interval=200ms http://$at/
    Liveness tcp interval=300ms timeout=1s retries=3 $at
    Gate balancer://shop http://$at
END
}

our @names = qw(one two store notifier checked loud);

# A graceful restart destroys the proxy's mutex of the kind "pthread" while a
# child of the old generation has not taken it over yet; two threads of that
# child then set up one member at once, and it crashes.
sub config {
    my ($s) = @_;
    my $at = "127.0.0.1";
    my $managed = join '', web($s, 'one'), web($s, 'two'),
        AMGR::Managed::section($s, 'store', $quick),
        section($s, 'notifier', "Verify notify\n    Liveness notify timeout=2s"),
        section($s, 'checked', "Verify tcp interval=200ms "
            . "$at:$s->{ports}{checked}\n"
            . '    Liveness exec interval=300ms /bin/true'),
        section($s, 'loud', 'Output "|/bin/sed -n d"');
    return <<"END";
LoadModule decoy_module @{[$s->{decoy_module}]}
MaxKeepAliveRequests 0
Mutex flock:@{[$s->path('run')]} proxy
ProxyTimeout 3
<Proxy balancer://shop>
    BalancerMember http://$at:$s->{ports}{one} retry=0
    BalancerMember http://$at:$s->{ports}{two} retry=0
</Proxy>
ProxyPass /shop/ balancer://shop/
ManagerDataFile @{[data_dir($s)]}/metrics.txt
ManagerSocket @{[$s->path('run')]}/control.sock
ManagerLameDuck 500ms
ManagerGracePeriod 3s
ManagerMinAge 2s
ManagerMaxTime 8s
ManagerMaxRequests 800 30%
ManagerMaxLifetime 30m
ManagerMaxGenerationAge 20s
$managed
END
}

sub data_dir { my ($s) = @_; return $s->path('data') }
sub data_file { my ($s) = @_; return data_dir($s) . '/metrics.txt' }
sub clock_file { my ($s) = @_; return $s->path('work/clock') }

# Not started yet.
sub new {
    my ($class, $mpm, $env) = @_;
    my $s = AMGR::Httpd->new(mpm => $mpm, name => "$mpm-chaos",
        interval => '500ms', mpm_config => sizes($mpm),
        modules => [qw(proxy proxy_http proxy_balancer lbmethod_byrequests
                       slotmem_shm)]);
    AMGR::Managed::prepare($s);
    my $line = LINE =~ s/\n/\\n/r;
    $s->write('work/served.pl', $served =~ s/'LINE'/"$line"/r);
    $s->write('htdocs/small.txt', LINE);
    $s->write('work/clock', pack 'q', 0);
    mkdir data_dir($s) or die data_dir($s) . ": $!\n";
    $s->{has_disk} = Chaos::Place::mount_disk(data_dir($s));
    $s->{ports} = { map { $_ => AMGR::Httpd::free_port() }
                    qw(one two checked) };
    $s->{decoy_module} = $s->build_object('mod_decoy');
    $s->{env} = { LD_PRELOAD => join(' ', map { $s->build_object($_) }
                                     qw(clock_step fork_limit)),
                  AMGR_CLOCK_STEP => clock_file($s), %$env };
    $s->set_config(config($s));
    return $s;
}

sub known {
    my ($path, $body) = @_;
    return sprintf '%s#%d:%08x', $path, length $body,
        Compress::Zlib::crc32($body);
}

# Connections of every kind; most of them pause, so that the machine is not busy
# with this alone.
sub load {
    my ($s) = @_;
    return AMGR::Load->start(
        port => $s->port, timeout_ms => 20_000, keep => 1, think => 12,
        think_ms => 40, fresh => 1,
        mix => ['3:' . known('/small.txt', LINE),
                '1:' . known('/shop/', LINE x BODY)]);
}

# ---- whose processes these are ----------------------------------------------

# Children of the MPM: not the ticker, not the supervisor, no decoy.
sub workers {
    my ($s, $decoys) = @_;
    my %other = map { $_ => 1 } $decoys->pids;
    return grep { !$other{$_} && AMGR::Httpd::comm($_) =~ /^(?:apache2|httpd)$/
                  && AMGR::Httpd::is_alive($_) } $s->children;
}

sub supervisor {
    my ($s) = @_;
    my @found = AMGR::Managed::supervisors($s);
    return $found[0];
}

sub guards {
    my ($s) = @_;
    my $supervisor = supervisor($s) // return;
    return grep { AMGR::Httpd::is_alive($_)
                  && AMGR::Httpd::comm($_) eq 'apache-guard' }
        $s->children($supervisor);
}

# What runs below the guards: managed processes and their own, and loggers.
sub processes {
    my ($s) = @_;
    my @below = map { $s->children($_) } guards($s);
    return grep { AMGR::Httpd::is_alive($_) } @below;
}

1;
