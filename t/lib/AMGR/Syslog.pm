# SPDX-License-Identifier: Apache-2.0
#
# A syslog daemon for one server: a socket that is /dev/log to this httpd and
# to nobody else, in a mount namespace of its own; the machine may have another
# or none.  An ordinary user gets one by a user namespace.
package AMGR::Syslog;

use strict;
use warnings;

use AMGR::Httpd ();
use IO::Handle;
use IO::Select;
use IO::Socket::UNIX;
use POSIX ();
use Socket qw(SOCK_DGRAM);

use constant DATAGRAM_MAX => 8192;

# A /dev with what httpd and Python need, and the socket.  Afterwards httpd has
# no right that it would not have had.
my $script = <<'SHELL';
set -e
dev=$1 log=$2
shift 2
mount -t tmpfs -o mode=0755 none "$dev"
for node in null zero full random urandom tty; do
    : > "$dev/$node"
    mount --bind "/dev/$node" "$dev/$node"
done
mkdir "$dev/shm"
mount --bind /dev/shm "$dev/shm"
ln -s /proc/self/fd "$dev/fd"
ln -s "$log" "$dev/log"
mount --rbind "$dev" /dev
exec "$@"
SHELL

# Listens below the server's root, and makes the server start with it.
sub new {
    my ($class, $s) = @_;
    my $path = $s->path('work/log');
    my $self = bless { path => $path, lines => [] }, $class;
    $self->listen;
    if (is_permitted()) {
        my $dev = $s->path('work/dev');
        mkdir $dev or die "$dev: $!\n";
        $s->{launcher} = [unshare(), 'sh', '-c', $script, 'sh', $dev, $path,
                          drop()];
    }
    else {
        $s->{env} = { LD_PRELOAD => $s->build_object('syslog'),
                      AMGR_SYSLOG => $path };
    }
    return $self;
}

sub listen {
    my ($self) = @_;
    my $path = $self->{path};
    $self->{socket} = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $path)
        or die "$path: $!\n";
    chmod 0666, $path;
    return;
}

sub unshare {
    return ('unshare', '--mount', AMGR::Httpd::is_root()
            ? () : ('--user', '--map-current-user', '--keep-caps'));
}

# An ordinary user has rights in its namespace that httpd would find.
sub drop {
    return AMGR::Httpd::is_root()
        ? () : ('setpriv', '--ambient-caps', '-all', '--inh-caps', '-all');
}

sub is_permitted {
    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {
        open STDERR, '>', '/dev/null';
        exec unshare(), 'mount', '-t', 'tmpfs', 'none', '/mnt'
            or POSIX::_exit(127);
    }
    waitpid $pid, 0;
    return $? == 0;
}

# The datagrams so far, as they came.
sub datagrams {
    my ($self) = @_;
    my $select = IO::Select->new($self->{socket});
    while ($select->can_read(0)) {
        $self->{socket}->recv(my $bytes, DATAGRAM_MAX);
        push @{ $self->{lines} }, $bytes;
    }
    return @{ $self->{lines} };
}

# For a server with `ErrorLog syslog`: its lines stand in this file at once,
# until the test has ended.
sub write_to {
    my ($self, $file) = @_;
    $self->{file} = $file;
    pipe my $end, $self->{test} or die "pipe: $!\n";
    $self->{writer} = fork // die "fork: $!\n";
    return if $self->{writer};
    close $self->{test};
    open my $fh, '>>:raw', $file or POSIX::_exit(1);
    $fh->autoflush;
    my $select = IO::Select->new($self->{socket}, $end);
    until (grep { $_ == $end } $select->can_read) {
        $self->{socket}->recv(my $bytes, DATAGRAM_MAX);
        print {$fh} file_line($bytes);
    }
    POSIX::_exit(0);
}

# The daemon is another from now on: who was connected has to do that anew.
sub restart {
    my ($self) = @_;
    kill 'TERM', $self->{writer};
    waitpid $self->{writer}, 0;
    close $self->{socket};
    unlink $self->{path};
    $self->listen;
    $self->write_to($self->{file});
    return;
}

# A datagram as rsyslog writes it to /var/log/syslog: without its priority,
# with the name of the host, control characters as octal numbers.
sub file_line {
    my ($bytes) = @_;
    my ($stamp, $rest) = $bytes =~ /^<\d+>(\w{3} [ \d]\d [\d:]{8}) (.*)\z/s
        or die "no line of syslog: $bytes\n";
    $rest =~ s/([\x00-\x1f\x7f])/sprintf '#%03o', ord $1/ge;
    return "$stamp amgr $rest\n";
}

1;
