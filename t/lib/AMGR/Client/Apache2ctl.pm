# SPDX-License-Identifier: Apache-2.0
#
# apache2ctl status and fullstatus, which show a page through lynx; set up in
# envvars as on any machine, of a configuration directory of its own.
package AMGR::Client::Apache2ctl;

use strict;
use warnings;

use parent 'AMGR::Client::Program';

use AMGR::Client qw(run_program write_file);
use File::Path ();

my %key_of = (busy => 'BusyWorkers', idle => 'IdleWorkers',
              graceful => 'GracefulWorkers',
              map { ("letter $_" => "letter $_") } '_', qw(S R W K G .));

sub name    { return 'apache2ctl' }
sub key_of  { return \%key_of }

# It makes the directories of Debian's server when they are not there.
sub start {
    my ($class, $place) = @_;
    File::Path::make_path("$place->{dir}/run/socks", "$place->{dir}/lock");
    return $class->SUPER::start($place);
}

# With this for lynx, by default as lynx is without a terminal: 80 columns.
sub call {
    my ($self, $word, $lynx) = @_;
    my $dir = $self->{place}{dir};
    my $url = $self->{place}{server}->url($self->{place}{path});
    $lynx //= 'lynx -dump';
    write_file("$dir/envvars", <<"END");
export APACHE_RUN_DIR=$dir/run
export APACHE_LOCK_DIR=$dir/lock
export APACHE_LYNX='$lynx'
export APACHE_STATUSURL=$url
END
    return run_program($self->{place}, { APACHE_CONFDIR => $dir },
                       'apache2ctl', $word);
}

sub ask {
    my ($self) = @_;
    my $run = $self->call('status');
    my %found;
    $found{error} = "$run->{status}: $run->{err}" if $run->{status};
    @found{qw(busy graceful idle)} = ($1, $2, $3)
        if $run->{out} =~ m{(\d+)\s+requests\s+currently\s+being\s+processed,
            \s+(\d+)\s+workers\s+gracefully\s+restarting,
            \s+(\d+)\s+idle\s+workers}x;
    # A line of nothing but letters, or some of at most 64.
    my ($letters) = $run->{out} =~ /^((?:\s*[_SRWKDCLGI.]{2,64}\n)+)/m;
    for my $name (grep { /^letter/ } keys %key_of) {
        my $letter = substr $name, -1;
        $found{$name} = () = ($letters // '') =~ /\Q$letter\E/g;
    }
    return \%found;
}

1;
