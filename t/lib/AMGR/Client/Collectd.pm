# SPDX-License-Identifier: Apache-2.0
#
# collectd's apache plugin: one reading, written as CSV.
package AMGR::Client::Collectd;

use strict;
use warnings;

use parent 'AMGR::Client::Program';

use AMGR::Client qw(start_program end_program is_ended slurp write_file);
use AMGR::Client::Span qw(@LETTERS);
use AMGR::Httpd qw(wait_until);

use File::Path ();

my %state = ('_' => 'waiting', S => 'starting', R => 'reading', W => 'sending',
             K => 'keepalive', D => 'dnslookup', C => 'closing',
             L => 'logging', G => 'finishing', I => 'idle_cleanup',
             '.' => 'open');
my %key_of = (
    apache_requests     => 'Total Accesses',
    apache_bytes        => 'bytes',
    apache_connections  => 'BusyWorkers',
    apache_idle_workers => 'IdleWorkers',
    (map { ("apache_scoreboard-$state{$_}" => "letter $_") } @LETTERS),
);

sub name    { return 'collectd' }
sub key_of  { return \%key_of }

sub start {
    my ($class, $place) = @_;
    # One thread writes in the order of reading: the scoreboard comes last.
    write_file("$place->{dir}/collectd.conf", <<"END");
BaseDir "$place->{dir}"
PIDFile "$place->{dir}/collectd.pid"
PluginDir "/usr/lib/collectd"
TypesDB "/usr/share/collectd/types.db"
Hostname "host"
FQDNLookup false
Interval 60
ReadThreads 1
WriteThreads 1
LoadPlugin logfile
<Plugin logfile>
    LogLevel info
    File "$place->{dir}/collectd.log"
    PrintSeverity true
</Plugin>
LoadPlugin csv
<Plugin csv>
    DataDir "$place->{dir}/csv"
    StoreRates false
</Plugin>
LoadPlugin apache
<Plugin "apache">
    <Instance "web">
        URL "$place->{url}"
    </Instance>
</Plugin>
END
    return bless { place => $place }, $class;
}

# What is in its files by the names of its types.
sub values_of {
    my ($self) = @_;
    my %found;
    for my $file (glob "$self->{place}{dir}/csv/host/apache-web/*") {
        my ($name) = $file =~ m{([^/]+)-\d{4}-\d\d-\d\d$} or next;
        my ($value) = slurp($file) =~ /^[\d.]+,(\S+)\n/m or next;
        $found{$name} = $value;
    }
    return \%found;
}

sub ask {
    my ($self) = @_;
    my $place = $self->{place};
    File::Path::remove_tree("$place->{dir}/csv");
    unlink "$place->{dir}/collectd.log";
    my $pid = start_program($place, {}, 'collectd', '-C',
                            "$place->{dir}/collectd.conf", '-f');
    my $found;
    wait_until(sub {
        $found = $self->values_of;
        is_ended($pid)
            || !grep { !exists $found->{"apache_scoreboard-$_"} } values %state;
    }, 60, "collectd's values");
    end_program($pid);
    my @bad = grep { /\[(?:warning|error|alert)\]/ }
        split /\n/, slurp("$place->{dir}/collectd.log");
    $found->{error} = join ' ', @bad if @bad;
    return $found;
}

1;
