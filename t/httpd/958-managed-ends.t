#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Ends of a server and of its managed processes: each way to stop httpd gives
# them their time, a restart that fails ends them, and with
# ManagerExitWhenDone httpd ends with them, not before.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Httpd qw(wait_until);
use AMGR::Managed;
use AMGR::Request;
use Apache::Test qw(-withtestmore);

use constant {
    SOON    => 30,
    END_SEC => 60,
    TIME    => 3, # that a process needs to end
};

sub server {
    my ($name, $config, %more) = @_;
    my $s = AMGR::Httpd->new(mpm => 'event', name => $name, %more);
    AMGR::Managed::prepare($s);
    $s->set_config(ref $config ? $config->($s) : $config);
    return $s->start;
}

sub ready {
    my ($s, $name, $not) = @_;
    return AMGR::Managed::wait_for($s, $name, 'READY', $not);
}

# The parent has gone by itself: its exit status.
sub exit_status {
    my ($s) = @_;
    wait_until(sub { !$s->is_running }, END_SEC, $s->name . ' ends') or return;
    return $s->{exit_status};
}

sub order {
    my ($s, $what) = @_;
    my $token = $s->json('/manager-status/processes')->{token};
    return $s->request('POST', "/manager-status/processes/$what?wait=20",
                       'X-Manager-Token' => $token)->code;
}

# ---- those that are stopped: all at once ----------------------------------------

sub slow_one {
    my ($s) = @_;
    return AMGR::Managed::section($s, 'slow', "StopTimeout 5m\n", TIME);
}

my %stopped = (
    'httpd -k stop' => sub {
        my ($s) = @_;
        my ($status, $out) = $s->run_httpd('-k', 'stop', '-f',
                                           $s->path('conf/httpd.conf'));
        is($status, 0, 'httpd -k stop') or diag($out);
    },
    'httpd -k graceful-stop' => sub {
        my ($s) = @_;
        my ($status, $out) = $s->run_httpd('-k', 'graceful-stop', '-f',
                                           $s->path('conf/httpd.conf'));
        is($status, 0, 'httpd -k graceful-stop') or diag($out);
    },
    'SIGINT' => sub { $_[0]->signal('INT') },
);

my %waits;
for my $how (sort keys %stopped) {
    (my $name = $how) =~ tr/ /-/;
    $waits{$how} = server($name, \&slow_one);
}
for my $how (sort keys %stopped) {
    my $s = $waits{$how};
    ready($s, 'slow') or next;
    $s->{tree} = [AMGR::Managed::tree($s, AMGR::Managed::supervisor($s))];
    $stopped{$how}->($s);
}

# A configuration that cannot be read, not even as far as this module: nobody
# is left who could wait for the processes.
my $broken = server('broken', sub {
    AMGR::Managed::section($_[0], 'web') . AMGR::Managed::section($_[0],
        'stubborn', '', 0, 'stubborn') });
ready($broken, $_) for qw(web stubborn);
$broken->{tree} = [AMGR::Managed::tree($broken,
                                       AMGR::Managed::supervisor($broken))];
$broken->write('conf/httpd.conf', "NoSuchDirective\n" . $broken->config_text);
$broken->signal('USR1');

# ---- a graceful stop -------------------------------------------------------------

# What serves requests goes on until the last of them is answered.
{
    my $port = AMGR::Httpd::free_port();
    my $s = server('serving', sub {
        my ($s) = @_;
        my $script = $s->write('work/serve.pl', <<'END');
use strict;
use warnings;
use IO::Socket::INET;
my ($port) = @ARGV;
my $listener = IO::Socket::INET->new(LocalAddr => "127.0.0.1:$port",
    Listen => 20, ReuseAddr => 1) or die "$port: $!\n";
while (1) {
    my $client = $listener->accept or next;
    my $line = <$client> // next;
    while (<$client>) { last if /^\r?\n$/ }
    sleep 3 if $line =~ /slow/;
    print $client "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\ndone\n";
    close $client;
}
END
        return <<"END";
ProxyPass /app/ http://127.0.0.1:$port/
GracefulShutdownTimeout 0
<ManagedProcess app>
    Command "$^X" "$script" $port
    PassEnv AMGR_TEST_SERVER
    Verify tcp 127.0.0.1:$port interval=100ms
</ManagedProcess>
END
    }, modules => [qw(proxy proxy_http)]);
    ready($s, 'app');
    my $request = $s->start_request('/app/slow');
    ok(wait_until(sub {
        $request->pump(0);
        grep { ($_->{request} // '') =~ m{/app/slow} }
            map { @{ $_->{slots} } } @{ $s->json->{processes} };
    }, SOON, 'it is being served'), 'a slow request');
    $s->signal('WINCH');
    $request->wait(SOON);
    like($request->bytes, qr{^HTTP/1\.1 200 .*\r\n\r\ndone\n\z}s,
         'is answered by a process that goes on during a graceful stop');
    is(exit_status($s), 0, 'and then httpd ends, and says that all is well');
    $s->stop;
}

# ---- with the last job -------------------------------------------------------------

# Before httpd hears signals.
{
    my $s = server('at-once', sub { 'LoadModule late_module '
        . $_[0]->build_object('mod_late') . "\n" . <<'END' });
ManagerExitWhenDone On
<ManagedProcess job>
    Command /bin/true
    Verify exited 0
    Restart never
</ManagedProcess>
END
    is(exit_status($s), 0, 'a job that is done before httpd has started');
    $s->stop;
}

# A job fails once, and is done when it is started again.
{
    my $s = server('retry', sub {
        my ($s) = @_;
        my $dir = AMGR::Managed::state_dir($s);
        return <<"END";
ManagerExitWhenDone On
<ManagedProcess other>
    Command /bin/true
    Restart never
</ManagedProcess>
<ManagedProcess job>
    Shell On
    Command "test -e $dir/tried || { touch $dir/tried; exit 1; }"
    RestartDelay 1s jitter=0%
    Restart on-failure
    Verify exited 0
</ManagedProcess>
END
    });
    is(exit_status($s), 0, 'a job that is done at the second attempt');
    my $log = join "\n", $s->log_lines(qr/AMGR00(?:34|40)/);
    like($log, qr/process\ job:\ .*\ ->\ BACKOFF\ .*process\ job:\ .*\ ->
                  \ EXITED\ .*all\ managed\ processes\ have\ ended/sx,
         'httpd does not end while one is to be started again');
    $s->stop;
}

# What somebody has stopped, somebody may start.
{
    my $s = server('by-order', sub { <<"END" . AMGR::Managed::section($_[0], 'web') });
ManagerControl On
ManagerExitWhenDone On
<ManagedProcess job>
    Command /bin/true
    Verify exited 0
    Restart never
</ManagedProcess>
END
    my $web = ready($s, 'web');
    is(AMGR::Managed::wait_for($s, 'job', 'EXITED')->{ready}, 1, 'a job is done');
    is(order($s, 'web/stop'), 200, 'and the other process is stopped by order');
    is(order($s, 'web/start'), 200, 'httpd has not ended then');
    isnt(ready($s, 'web')->{pid}, $web->{pid}, 'and it is started again');
    is(scalar(() = $s->log_lines(qr/all managed processes have ended/)), 0,
       'nobody has said that all is done');
    $s->stop_ok;
}

# ---- those that were stopped --------------------------------------------------------

for my $how (sort keys %stopped) {
    my $s = $waits{$how};
    is(exit_status($s), 0, "$how: httpd ends well");
    ok(AMGR::Managed::are_gone(0, @{ $s->{tree} // [1] }),
       "$how: when its processes have ended");
    is(join(' ', AMGR::Managed::noted($s, 'ended')), 'slow',
       "$how: and were given the time that they need");
    is(scalar(() = $s->log_lines(qr/killed/)), 0, "$how: nobody was killed");
    $s->stop;
}
ok(exit_status($broken), 'a restart that fails');
ok(AMGR::Managed::are_gone(SOON, @{ $broken->{tree} }),
   'ends all processes, however stubborn');
is(join(' ', sort(AMGR::Managed::noted($broken, 'ended'))), 'stubborn web',
   'which are told before');
$broken->stop;
done_testing();
