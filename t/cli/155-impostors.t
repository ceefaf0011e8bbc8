#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Who is believed about a server: any user can name a process apache2, copy a
# board, write his process into it and map it; and whoever a worker has become
# holds the socket of its server.  Before and behind the server's own pid.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Cli qw(cli);
use AMGR::Httpd qw(wait_until);
use Apache::Test qw(-withtestmore);
use File::Copy ();
use IO::Handle;
use IPC::Open2 qw(open2);
use POSIX ();

use constant { USER => 65534 };

# A process of an ordinary user's; obeys lines: "map FILE", "hold PID" (a
# socket of that process that listens), "listen PORT".
my $impostor = <<'END';
import ctypes, mmap, os, socket, sys
open('/proc/self/comm', 'w').write('apache2')
uid, kept, ready = int(sys.argv[1]), [], False
libc = ctypes.CDLL(None, use_errno=True)
def become():
    global ready
    if not ready and os.getuid() == 0:
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
    ready = True
def hold(pid):
    pidfd = os.pidfd_open(pid)
    for name in os.listdir('/proc/%d/fd' % pid):
        fd = libc.syscall(438, pidfd, int(name), 0)
        if fd < 0:
            raise OSError(ctypes.get_errno(), 'pidfd_getfd')
        try:
            s = socket.socket(fileno=fd)
            if s.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                kept.append(s)
        except OSError:
            pass
    if not kept:
        raise RuntimeError('no socket to hold')
os.setsid()
for line in sys.stdin:
    word, value = line.split()
    if word == 'hold':
        hold(int(value))
    become()
    if word == 'map':
        fd = os.open(value, os.O_RDONLY)
        kept.append(mmap.mmap(fd, 0, mmap.MAP_SHARED, mmap.PROT_READ))
    if word == 'listen':
        s = socket.socket()
        s.bind(('127.0.0.1', int(value)))
        s.listen(4)
        kept.append(s)
    print('done', flush=True)
END

my @started; # [pid, to, from]

sub start_impostor {
    my $pid = open2(my $from, my $to, '/usr/bin/python3', '-c', $impostor, USER);
    $to->autoflush(1);
    push @started, { pid => $pid, to => $to, from => $from };
    return $started[-1];
}

sub order {
    my ($impostor, $line) = @_;
    print { $impostor->{to} } "$line\n";
    my $answer = readline $impostor->{from};
    die "the impostor has died\n" unless defined $answer && $answer eq "done\n";
    return;
}

END {
    my $status = $?;
    for (@started) {
        kill 'KILL', $_->{pid};
        waitpid $_->{pid}, 0;
    }
    $? = $status;
}

# Without root nobody else's processes can be had: the server alone is left.
my $is_root = AMGR::Httpd::is_root();
my $early = $is_root && start_impostor();
my $s = AMGR::Httpd->new(mpm => 'prefork', interval => '200ms', detach => 1,
                         mpm_config => <<'END')->start;
StartServers 2
MinSpareServers 2
MaxSpareServers 2
ServerLimit 2
MaxRequestWorkers 2
END
my %none = (APACHE_CONFDIR => '/nonexistent');
my $board = $s->board_file;

sub run { return cli({ timeout => 20, env => $_[0] }, '-v', @_[1 .. $#_]) }

sub is_read_from_its_board {
    for my $host ('127.0.0.1', 'localhost') {
        my $r = run(\%none, '--url', "http://$host:" . $s->port, '-c', '-f',
                    '-');
        is($r->{code}, 0, "--url with $host succeeds") or diag($r->{err});
        like($r->{err}, qr/read from \Q$board\E \(board\)/,
             '... by its own board');
    }
    return;
}

if (!$is_root) {
    $s->wait_ticks(2);
    is_read_from_its_board();
    $s->stop_ok;
    done_testing();
    exit 0;
}

my $late = start_impostor();
cmp_ok($early->{pid}, '<', $s->parent_pid, 'one is before the server');
cmp_ok($late->{pid}, '>', $s->parent_pid, 'one is behind it');
$s->wait_ticks(2);

sub start_ticks {
    my ($pid) = @_;
    my ($rest) = AMGR::Httpd::slurp("/proc/$pid/stat") =~ /.*\) (.*)/s;
    return (split ' ', $rest)[19];
}

# The server's board, of another process.
sub forge {
    my ($dir, $pid) = @_;
    open my $in, '<:raw', $s->board_file or die "board: $!\n";
    my $bytes = do { local $/; readline $in };
    substr($bytes, 16, 4) = pack 'l', $pid;
    substr($bytes, 24, 8) = pack 'Q', start_ticks($pid);
    my $file = "$dir/apache-manager.board";
    unlink $file;
    open my $out, '>:raw', $file or die "$file: $!\n";
    print {$out} $bytes;
    close $out or die "$file: $!\n";
    chmod 0644, $file;
    chown USER, USER, $file or die "$file: $!\n";
    return $file;
}

my %forged;
for (['early', $early], ['late', $late]) {
    my ($name, $impostor) = @$_;
    my $dir = $s->path("work/$name");
    mkdir $dir or die "$dir: $!\n";
    chmod 0755, $dir;
    $forged{$name} = forge($dir, $impostor->{pid});
    order($impostor, 'hold ' . $s->parent_pid);
    order($impostor, "map $forged{$name}");
}

# ---- those who hold its socket, and map a board ------------------------------

is_read_from_its_board();

# A program that anybody may run as root is not root's.
my $sleeper = $s->path('work/early/apache2');
File::Copy::copy('/bin/sleep', $sleeper) or die "$sleeper: $!\n";
chmod 04755, $sleeper or die "$sleeper: $!\n";
my $lent = fork // die "fork: $!\n";
if ($lent == 0) {
    $( = USER;
    $) = USER . ' ' . USER;
    POSIX::setuid(USER);
    exec { $sleeper } 'apache2', 60 or POSIX::_exit(127);
}
push @started, { pid => $lent };
wait_until(sub {
    AMGR::Httpd::slurp("/proc/$lent/comm") eq "apache2\n";
}, 10, 'a program that is lent') or die "no sleeper\n";

my $r = run(\%none, '--json');
my $named = join '|', $early->{pid}, $late->{pid}, $lent;
unlike($r->{err}, qr/pid (?:$named)\b/, 'nor are they taken for servers');

# ---- in the directory of a configuration ------------------------------------

sub configured {
    my ($name, $port) = @_;
    $s->write("work/$name/apache2.conf",
              "DefaultRuntimeDir @{[ $s->path(qq(work/$name)) ]}\n"
              . "Listen 127.0.0.1:$port\n");
    return { APACHE_CONFDIR => $s->path("work/$name") };
}

for my $name (qw(early late)) {
    $r = run(configured($name, $s->port), '-c', '-f', '-');
    is($r->{code}, 0, "a board of another's beside the configuration, $name");
    like($r->{err}, qr/board \Q$forged{$name}\E: of an ordinary user's process, believed only where that listens/,
         '... is not believed');
    like($r->{err}, qr/read from \Q$board\E \(board\)/, '... its own is');
    $r = run(configured($name, 1), '-c', '-f', '-');
    is($r->{code}, 1, '... nor where nobody listens');
    is($r->{out}, '', '... in which case nothing is shown');
}

# ---- a server of his own ----------------------------------------------------

my $his = AMGR::Httpd::free_port();
order($late, "listen $his");
$r = run(\%none, '--url', "http://127.0.0.1:$his", '-c', '-f', '-');
is($r->{code}, 0, 'where he listens, and nobody else,') or diag($r->{err});
like($r->{err}, qr/read from \Q$forged{late}\E \(board\)/, '... his board is');

# A board that he has mapped and that is another's says nothing of him.
my $third = start_impostor();
my $other = AMGR::Httpd::free_port();
order($third, "map $forged{late}");
order($third, "listen $other");
$r = run(\%none, '--url', "http://127.0.0.1:$other", '-z');
unlike($r->{err}, qr/\(board\)/, 'the board of another is not his');

$s->stop_ok;
done_testing();
