# SPDX-License-Identifier: Apache-2.0
#
# check_httpd_status of monitoring-plugins-contrib.  It keeps what it saw last
# in a file of /tmp, called after its host: given a whole URL, the host is a name
# alone, and one that leads into the directory of the test.
package AMGR::Client::HttpdStatus;

use strict;
use warnings;

use parent 'AMGR::Client::Program';

use AMGR::Client qw(run_program);
use Digest::MD5 qw(md5_hex);

my %label = ('_' => 'Waiting', S => 'Starting', R => 'Reading', W => 'Sending',
             K => 'Keepalive', D => 'DNS', C => 'Closing', L => 'Logging',
             G => 'Finishing', I => 'Idle', '.' => 'OpenSLot');
my %key_of = (
    ReqPerSec => 'ReqPerSec', BytesPerSec => 'BytesPerSec',
    BytesPerReq => 'BytesPerReq', FreeWorker => 'free',
    busy => 'BusyWorkers', idle => 'IdleWorkers',
    (map { ($label{$_} => "letter $_") } keys %label),
);

sub name    { return 'check_httpd_status' }
sub key_of  { return \%key_of }

sub call {
    my ($self, @limits) = @_;
    my $dir = $self->{place}{dir};
    return run_program($self->{place}, {},
        '/usr/lib/nagios/plugins/check_httpd_status', '-H', "..$dir/",
        '-u', $self->{place}{url}, @limits);
}

# As an administrator calls it, who gives a host, a port and a path.
sub call_plainly {
    my ($self, @limits) = @_;
    my ($s, $path) = @{ $self->{place} }{qw(server path)};
    my $file = '/tmp/127.0.0.1_check_httpd_status'
        . md5_hex($self->{place}{url});
    my $run = run_program($self->{place}, {},
        '/usr/lib/nagios/plugins/check_httpd_status', '-H', '127.0.0.1',
        '-p', $s->port, '-u', "$path?auto", @limits);
    $run->{kept} = unlink $file;
    return $run;
}

# Its performance data, as of a first run.
sub ask {
    my ($self) = @_;
    unlink glob "$self->{place}{dir}/_check_httpd_status*";
    my $run = $self->call;
    my ($text, $data) = split /\|/, $run->{out}, 2;
    my %found = ($data // '') =~ /(\w+)=([\d.]+)/g;
    @found{qw(busy idle)} = ($1, $2) if $text =~ m{(\d+)/(\d+) Busy/Idle};
    $found{error} = "$run->{status}: $run->{out}$run->{err}"
        if $run->{status} || length $run->{err};
    return \%found;
}

1;
