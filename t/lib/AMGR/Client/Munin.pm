# SPDX-License-Identifier: Apache-2.0
#
# munin's plugins for Apache, called as munin-node calls them.
package AMGR::Client::Munin;

use strict;
use warnings;

use parent 'AMGR::Client::Program';

use AMGR::Client qw(run_program);

use constant PLUGINS => '/usr/share/munin/plugins';

my %key_of = (accesses => 'Total Accesses', volume => 'bytes',
              busy => 'BusyWorkers', idle => 'IdleWorkers',
              free => 'letter .');

sub name    { return 'munin' }
sub key_of  { return \%key_of }

sub call {
    my ($self, $plugin, @word) = @_;
    my ($s, $path) = @{ $self->{place} }{qw(server path)};
    my $dir = $self->{place}{dir};
    return run_program($self->{place}, {
        MUNIN_LIBDIR => '/usr/share/munin', MUNIN_PLUGSTATE => $dir,
        url => "http://127.0.0.1:%d$path?auto", ports => $s->port,
    }, PLUGINS . "/apache_$plugin", @word);
}

# What it does not find it calls U.
sub ask {
    my ($self) = @_;
    my %found;
    my $port = $self->{place}{server}->port;
    for my $plugin (qw(accesses processes volume)) {
        my $run = $self->call($plugin);
        $found{error} .= "apache_$plugin: $run->{status} $run->{err}"
            if $run->{status} || length $run->{err};
        while ($run->{out} =~ /^(\w+?)$port\.value (.*)$/mg) {
            $found{$1} = $2 unless $2 eq 'U';
        }
    }
    return \%found;
}

1;
