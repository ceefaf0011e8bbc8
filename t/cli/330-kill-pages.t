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
by_a_page_of_another();
by_a_status_of_another();
by_a_page_of_another_namespace();
without_a_table();
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
    ok(wait_until(sub { !grep { AMGR::Case::Kill::age($_) < 2.5 } @children }, 20, 'age'),
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

# ---- a page that is not of this server's processes --------------------------

# A server that may have a page of mod_status, with an application.
sub application {
    my ($mpm, $name, %more) = @_;
    my $config = delete $more{config};
    my $s = AMGR::Httpd->new(mpm => $mpm, name => $name, location => 0, %more,
                             modules => ['wsgi', @{ $more{modules} // [] }]);
    my $script = $s->wsgi_script;
    # Of Python that sleeps.
    $s->expect_log(qr/AH00046: child process \d+ still did not exit, sending/);
    $s->{config} .= "$config\nWSGIScriptAlias /app $script\n";
    return $s;
}

sub status_page {
    my ($extended) = @_;
    return <<"END";
ExtendedStatus $extended
<Location "/server-status">
    SetHandler server-status
    Require local
</Location>
END
}

# As many requests as there are workers, so that each of those is busy.
sub busy {
    my ($s, $count) = @_;
    my @requests = map { $s->start_request('/app/sleep?s=60') } 1 .. $count;
    ok(wait_until(sub { !grep { $_->took < 2.5 } @requests }, 20, 'their age'),
       $s->name . ": $count requests of some age");
    return @requests;
}

sub spares {
    my ($s, $requests, @limits) = @_;
    my $r = AMGR::Case::Kill::kill_run($s, @limits);
    my $name = $s->name;
    unlike($r->{err}, qr/Killing native/, "$name: @limits: nobody is idle")
        or diag($r->{err});
    is(scalar(grep { $_->done } @$requests), 0,
       "$name: @limits: no request is cut off");
    return $r;
}

# A frontend passes everything on, the page as well; its board knows better.
sub by_a_page_of_another {
    my $backend = AMGR::Httpd->new(mpm => 'prefork', name => 'backend',
                                   manager => 0, location => 0,
                                   modules => ['status'],
                                   config => status_page('On'))->start;
    my $to = $backend->url('/');
    my $s = application('event', 'frontend', interval => '200ms',
                        modules => [qw(proxy proxy_http)],
                        mpm_config => <<'SIZES', config => <<"END")->start;
StartServers 2
ServerLimit 2
ThreadsPerChild 2
ThreadLimit 2
MinSpareThreads 1
MaxSpareThreads 4
MaxRequestWorkers 4
SIZES
ProxyPass "/app" "!"
ProxyPass "/" "$to"
END
    my @requests = busy($s, 3);
    my $r = spares($s, \@requests, '-i', '1M');
    is($r->{code}, 0, 'the board tells who is idle') or diag($r->{err});
    AMGR::Case::Kill::said($r, qr/names other processes than httpd \d+ has/,
                           'that the page is not believed');
    $_->close_now for @requests;
    $s->stop_ok;
    # Without the module there is nothing else to believe.
    $s = application('prefork', 'plain frontend', manager => 0,
                     modules => [qw(proxy proxy_http)],
                     mpm_config => <<'SIZES', config => <<"END")->start;
StartServers 3
ServerLimit 4
MaxRequestWorkers 4
SIZES
ProxyPass "/app" "!"
ProxyPass "/" "$to"
END
    @requests = busy($s, 3);
    $r = spares($s, \@requests, '-i', '1M');
    is($r->{code}, 1, 'nothing is known, which is no success') or diag($r->{err});
    $_->close_now for @requests;
    $_->stop_ok for $s, $backend;
    return;
}

# The same with this module's page, which a worker that nobody tells of would be
# busy by.
sub by_a_status_of_another {
    my $backend = AMGR::Httpd->new(mpm => 'prefork', name => 'status backend',
                                   interval => '200ms')->start;
    my $to = $backend->url('/');
    $backend->wait_ticks(1);
    my $proxy = qq{ProxyPass "/" "$to"\n};
    my @more = (location => 0, modules => [qw(proxy proxy_http)],
                config => $proxy);
    my $s = AMGR::Httpd->new(mpm => 'event', name => 'status frontend',
                             interval => '200ms', @more)->start;
    $s->wait_ticks(2);
    my $r = AMGR::Case::Kill::kill_run($s, '-n', '-v', '-a', '1K');
    AMGR::Case::Kill::said($r, qr/names other processes than httpd \d+ has/,
                           'that its status is not believed');
    unlike($r->{err}, qr/Would kill native/, 'nobody is taken for active');
    $r = AMGR::Case::Kill::kill_run($s, '-n', '-i', '1K');
    AMGR::Case::Kill::said($r, qr/Would kill native worker \d+ \(idle\)/,
                           'but for idle, by its own board');
    $s->stop_ok;
    # Without the module there is nothing else to believe.
    $s = AMGR::Httpd->new(mpm => 'prefork', name => 'plain status frontend',
                          manager => 0, @more)->start;
    for my $limit ('-a', '-i') {
        $r = AMGR::Case::Kill::kill_run($s, '-n', '-v', $limit, '1K');
        is($r->{code}, 1, "$limit: nothing is known, which is no success");
        AMGR::Case::Kill::said($r, qr/names other processes than httpd \d+ has/,
                               '... which is told');
    }
    # What it shows is the backend, and whole.
    $r = cli('--url', $s->url('/'), '--json');
    is($r->{code}, 0, 'it is shown') or diag($r->{err});
    $_->stop_ok for $s, $backend;
    return;
}

# The page names processes by the pids that they have for themselves.
sub by_a_page_of_another_namespace {
    if (!AMGR::Httpd::is_root()) {
        diag('NOT TESTED, only root can: a server in a pid namespace');
        return;
    }
    my $s = application('event', 'namespace', manager => 0,
                        modules => ['status'], config => status_page('On'),
                        launcher => [qw(unshare -p -f -m --propagation
                                        unchanged --mount-proc
                                        --kill-child)])->start;
    ($s->{pid}) = $s->children; # of unshare
    my @requests = busy($s, 3);
    my $r = spares($s, \@requests, '-i', '1M');
    is($r->{code}, 1, 'nothing is known, which is no success') or diag($r->{err});
    AMGR::Case::Kill::said($r, qr/names other processes than httpd \d+ has/,
                           'that the page is not believed');
    $_->close_now for @requests;
    $s->stop_ok;
    return;
}

# With ExtendedStatus Off the page names no worker at all.
sub without_a_table {
    my $s = application('prefork', 'no-table', manager => 0,
                        modules => ['status'],
                        config => status_page('Off'))->start;
    my @requests = busy($s, 2);
    my $r = spares($s, \@requests, '-i', '1M');
    is($r->{code}, 1, 'nothing is known, which is no success') or diag($r->{err});
    $r = cli('--url', $s->url('/'), '-q', '-c', '-f', '-');
    like($r->{out}, qr/^native-worker-count\t[3-9]$/m, 'workers are counted')
        or diag($r->{err});
    $r = AMGR::Case::Kill::kill_run($s, '-n', '-i', '1M', '-a', '1M');
    AMGR::Case::Kill::said($r, qr/Would kill native worker \d+ \(active\)/,
                           'who is over both limits may go all the same');
    $_->close_now for @requests;
    $s->stop_ok;
    return;
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
