#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Killing where there is no module to ask: by mod_status's page, which tells
# what a worker does and never whom to signal.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Case::Kill;
use AMGR::Cli qw(cli);
use AMGR::Httpd qw(wait_until);
use Apache::Test qw(-withtestmore);
use IO::Socket::INET;
use POSIX ();

by_mod_status();
by_a_liar();
done_testing();

# ---- mod_status alone -------------------------------------------------------

sub by_mod_status {
    my $s = AMGR::Httpd->new(mpm => 'prefork', name => 'mod-status',
                             manager => 0, location => 0,
                             modules => [qw(status wsgi)]);
    my $script = $s->wsgi_script;
    $s->{config} .= <<"END";
ExtendedStatus On
<Location "/server-status">
    SetHandler server-status
    Require local
</Location>
WSGIDaemonProcess shop display-name=%{GROUP} processes=1 home=/
WSGIScriptAlias /shop $script process-group=shop application-group=%{GLOBAL}
WSGIScriptAlias /app $script
END
    $s->expect_log(qr/Truncated or oversized response headers/);
    $s->start;
    my $young = AMGR::Case::Kill::kill_run($s, '-n', '-i', '9G');
    AMGR::Case::Kill::ended_well($young, 'a server that was just started');
    AMGR::Case::Kill::said($young, qr/\(found [1-9]\d* workers within resource usage limits\)/,
                           'whose workers are waited for');
    my @children = $s->children;
    ok(wait_until(sub { !grep { age($_) < 2.5 } @children }, 20, 'age'),
       'workers of some age');
    my $pid = AMGR::Case::Retire::leak($s, AMGR::Case::Kill::LEAK_MB);
    my $r = AMGR::Case::Kill::kill_run($s, '-n', '-i',
                                       AMGR::Case::Kill::LIMIT);
    AMGR::Case::Kill::ended_well($r, 'a dry run');
    AMGR::Case::Kill::said($r, qr/Would kill native worker $pid \(idle\) using /,
                           'whom it would kill');
    AMGR::Case::Retire::all_live('nobody is gone', @children);
    $r = AMGR::Case::Kill::kill_run($s, '-i', AMGR::Case::Kill::LIMIT);
    AMGR::Case::Kill::ended_well($r, 'an idle worker');
    AMGR::Case::Kill::said($r, qr/Killing native worker $pid \(idle\) using .*, asked to finish$/m,
                           'is asked');
    ok(!AMGR::Httpd::is_alive($pid), 'it is gone');
    AMGR::Case::Retire::all_live('nobody else', grep { $_ != $pid } @children);
    hanging($s);
    AMGR::Case::Kill::wsgi($s);
    $s->stop_ok;
    return;
}

sub hanging {
    my ($s) = @_;
    my $request = $s->start_request('/app/sleep?s=60');
    my $r;
    ok(wait_until(sub {
        $r = cli('--url', $s->url('/'), '-k', '-t', '2s');
        return $r->{err} =~ /Killed 1 of/ || $r->{code} != 0;
    }, 20, 'a kill'), 'a worker that hangs is killed in time');
    is($r->{code}, 0, 'it ends well') or diag($r->{err});
    like($r->{err}, qr/\(active\) hanging for \d+ seconds since last request \(GET \/app\/sleep/,
         'who, and why');
    $request->close_now;
    return;
}

# Seconds since a process was started.
sub age {
    my ($pid) = @_;
    my $start = eval { (AMGR::Httpd::stat_fields($pid))[19] } // return 99;
    my ($up) = AMGR::Httpd::slurp('/proc/uptime') =~ /^([\d.]+)/;
    return $up - $start / 100;
}

# ---- a page that lies -------------------------------------------------------

# Something that is no httpd names processes that are none of its own.
sub by_a_liar {
    my $victim = fork // die "fork: $!\n";
    if ($victim == 0) {
        exec 'sleep', '60' or POSIX::_exit(127);
    }
    my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 5)
        or die "no socket: $!\n";
    my $liar = fork // die "fork: $!\n";
    if ($liar == 0) {
        $SIG{$_} = 'DEFAULT' for qw(TERM INT);
        lie($socket, $victim, getppid) while 1;
    }
    my $url = 'http://127.0.0.1:' . $socket->sockport . '/';
    close $socket;
    my $r = cli('--url', $url, '-k', '-a', '1K', '-i', '1K', '-t', '1s');
    # An ordinary user cannot tell but that it is somebody else's.
    is($r->{code}, AMGR::Httpd::is_root() ? 1 : 4, 'no httpd is behind it')
        or diag($r->{err});
    like($r->{err}, qr/nothing was killed$/m, 'which is said');
    unlike($r->{err}, qr/Kill(?:ing|ed)/, 'and nothing else');
    ok(AMGR::Httpd::is_alive($_), "$_ lives") for $victim, $liar;
    for my $pid ($victim, $liar) {
        kill 'KILL', $pid;
        waitpid $pid, 0;
    }
    return;
}

sub lie {
    my ($socket, @pids) = @_;
    my $client = $socket->accept or return;
    my $request = '';
    while ($request !~ /\r\n\r\n/) {
        sysread($client, $request, 4096, length $request) or return;
    }
    my $auto = $request =~ /\?auto/;
    my $body = $auto ? auto() : table(@pids);
    my $type = $auto ? 'text/plain' : 'text/html';
    if ($request !~ m{^GET /server-status}) {
        print {$client} "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
        close $client;
        return;
    }
    printf {$client} "HTTP/1.1 200 OK\r\nContent-Type: %s; charset=ISO-8859-1"
        . "\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
        $type, length $body, $body;
    close $client;
    return;
}

sub auto {
    return <<'END';
127.0.0.1
ServerVersion: Apache/2.4.71 (Debian)
ServerMPM: prefork
ServerUptimeSeconds: 1000
Uptime: 1000
Total Accesses: 100
Total kBytes: 100
CPULoad: .1
ReqPerSec: .1
BytesPerSec: 102.4
BytesPerReq: 1024
BusyWorkers: 2
GracefulWorkers: 0
IdleWorkers: 1
Scoreboard: WW_
END
}

sub table {
    my (@pids) = @_;
    my @names = qw(Srv PID Acc M CPU SS Req Dur Conn Child Slot Client Protocol
                   VHost Request);
    my $n = 0;
    my $rows = join '', map {
        my @cells = ($n++ . '-0', $_, '1/9/9', '<b>W</b>', '0.01', 900, 0, 5,
                     '0.0', '0.01', '0.01', '127.0.0.1', 'http/1.1',
                     'localhost:80', 'GET / HTTP/1.1');
        '<tr>' . join('', map { "<td>$_</td>" } @cells) . "</tr>\n";
    } @pids;
    return "<html><head><title>Apache Status</title></head><body>\n"
        . "<h1>Apache Server Status for 127.0.0.1</h1>\n<table border=\"0\">\n"
        . '<tr>' . join('', map { "<th>$_</th>" } @names) . "</tr>\n"
        . "$rows</table></body></html>\n";
}
