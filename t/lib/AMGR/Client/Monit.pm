# SPDX-License-Identifier: Apache-2.0
#
# monit's protocol apache-status: it names a percentage only when it fails a
# limit, so one check of each letter does, and one of all must hold.
package AMGR::Client::Monit;

use strict;
use warnings;

use parent 'AMGR::Client::Program';

use AMGR::Client qw(run_program slurp write_file);

my %limit = ('_' => 'waitlimit', S => 'startlimit', R => 'requestlimit',
             W => 'replylimit', K => 'keepalivelimit', D => 'dnslimit',
             C => 'closelimit', L => 'loglimit', G => 'gracefullimit',
             I => 'cleanuplimit');
my %key_of = map { ($limit{$_} => "percent $_") } keys %limit;

sub name    { return 'monit' }
sub key_of  { return \%key_of }

# One cycle of checks, each { name => limits }: what it logs.  Its exit status
# says nothing of them.
sub cycle {
    my ($self, $options, %check) = @_;
    my ($s, $path, $dir) = @{ $self->{place} }{qw(server path dir)};
    my $text = join '', map { "set $_\n" } "log $dir/monit.log",
        "pidfile $dir/monit.pid", "idfile $dir/monit.id",
        "statefile $dir/monit.state";
    $text .= "check host $_ with address 127.0.0.1\n    if failed port "
        . $s->port . " protocol apache-status path \"$path\" $check{$_}\n"
        . "    then alert\n" for sort keys %check;
    write_file("$dir/monitrc", $text);
    unlink "$dir/monit.log", "$dir/monit.state";
    my $run = run_program($self->{place}, {}, 'monit', '-c', "$dir/monitrc",
                          @$options, 'validate');
    return slurp("$dir/monit.log") || $run->{err};
}

sub ask {
    my ($self) = @_;
    my $log = $self->cycle([], map { ($_ => "$_ < 100%") } values %limit);
    my %found;
    $found{$1} = $2
        while $log =~ /error\s*: '(\w+)' failed.* error -- (\d+) percent/g;
    $found{error} = "it said: $log" if keys %found != keys %limit;
    return \%found;
}

# What it logs of one check with these limits; of success only when verbose.
sub check {
    my ($self, $limits) = @_;
    return join "\n", grep { /'web'/ }
        split /\n/, $self->cycle(['-v'], web => $limits);
}

# Limits that these percentages hold.
sub holds {
    my ($self, $found) = @_;
    return $self->check(join ' or ', map { "$_ > $found->{$_}%" }
                        grep { defined $found->{$_} } sort values %limit);
}

# A limit of this letter, one less than it is.
sub fails {
    my ($self, $found, $letter) = @_;
    my $limit = $limit{$letter};
    return $self->check("$limit > " . ($found->{$limit} - 1) . '%');
}

1;
