# SPDX-License-Identifier: Apache-2.0
#
# How clients that Debian has not got read ?auto: the rules of each, told anew
# in a few lines.  Each is called as of($name, $text, $head) and returns what it
# finds by names of its own; it dies where the client would fail.
package AMGR::Client::Rules;

use strict;
use warnings;

use AMGR::Client::Span qw(@LETTERS);

my $float = qr/[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?/;
# A line that Go's scanner does not take ends the reading.
use constant LINE_MAX => 65535;

my %mod_status = map { ($_ => $_) } 'Total Accesses', 'Total kBytes',
    qw(Uptime ReqPerSec BytesPerSec BytesPerReq BusyWorkers IdleWorkers);
my %conns = map { ($_ => $_) }
    qw(ConnsTotal ConnsAsyncWriting ConnsAsyncKeepAlive ConnsAsyncClosing);
my %letters = map { ("letter $_" => "letter $_") } @LETTERS;

my %client = (
    'netdata' => { rule => \&netdata, key_of => {
        %mod_status, %conns, %letters } },
    'telegraf' => { rule => \&telegraf, key_of => {
        (map { (s/ //gr => $_) } values %mod_status, values %conns,
         'Total Duration', qw(ParentServerConfigGeneration
         ParentServerMPMGeneration ServerUptimeSeconds Load1 Load5 Load15
         CPUUser CPUSystem CPUChildrenUser CPUChildrenSystem CPULoad
         DurationPerReq GracefulWorkers Processes Stopping ConnsAsyncWaitIO)),
        %letters } },
    'cacti' => { rule => \&cacti, key_of => {
        requests => 'Total Accesses', bytes => 'bytes', cpu => 'CPULoad',
        busy => 'BusyWorkers', idle => 'IdleWorkers', %letters } },
    'xymon' => { rule => \&xymon, key_of => {
        map { ($_ => $_) } 'Total Accesses', 'Total kBytes',
        qw(BusyWorkers IdleWorkers CPULoad ReqPerSec) } },
    'check_apache_status' => { rule => \&check_apache_status, key_of => {
        busy => 'BusyWorkers', idle => 'IdleWorkers', open => 'letter .' } },
    'Apache by HTTP' => { rule => \&zabbix, key_of => {
        (map { ($_ => $_) } values %mod_status, qw(ServerUptimeSeconds
         ServerMPM ServerVersion)), %letters } },
);

sub names { return sort keys %client }
sub key_of { return $client{ $_[0] }{key_of} }

sub of {
    my ($name, $text, $head) = @_;
    return $client{$name}{rule}->($text, $head);
}

sub count_letters {
    my ($board) = @_;
    my %count = map { ("letter $_" => 0) } @LETTERS;
    for my $letter (split //, $board) {
        die "the letter '$letter'\n" unless exists $count{"letter $letter"};
        $count{"letter $letter"}++;
    }
    return %count;
}

sub scanned {
    my ($text) = @_;
    my @lines = split /\n/, $text;
    length > LINE_MAX and die "a line too long\n" for @lines;
    return @lines;
}

# Exactly one colon; whole numbers but for the rates.
sub netdata {
    my ($text) = @_;
    my %found;
    for my $line (scanned($text)) {
        my @part = map { s/^\s+|\s+$//gr } split /:/, $line, -1;
        next unless @part == 2;
        my ($key, $value) = @part;
        die "lighttpd's\n" if $key =~ /^(?:Busy|Idle)Servers$/;
        if ($key eq 'Scoreboard') {
            %found = (%found, count_letters($value));
        }
        elsif ($mod_status{$key} || $conns{$key}) {
            my $form = $key =~ /Per/ ? $float : qr/[-+]?\d+/;
            die "$key: '$value' is no number\n" unless $value =~ /^$form$/;
            $found{$key} = $value;
        }
    }
    return \%found;
}

# Whatever is a number after the first colon; blanks are no part of a name.
sub telegraf {
    my ($text) = @_;
    my (%found, %ours);
    for my $line (scanned($text)) {
        my ($key, $value) = $line =~ /^([^:]*):\s*(.*?)\s*$/ or next;
        $key =~ s/ //g;
        if ($key eq 'Scoreboard') {
            %found = (%found, count_letters($value));
        }
        elsif ($value =~ /^$float$/) {
            die "$key twice\n" if exists $found{$key} || exists $ours{$key};
            ($key =~ /^ApacheManager/ ? $ours{$key} : $found{$key}) = $value;
        }
    }
    return \%found;
}

# Cut at each ": "; something with an "e" is as good as nothing.
sub cacti {
    my ($text) = @_;
    my %name = ('Total Accesses' => 'requests', 'Total kBytes' => 'bytes',
                CPULoad => 'cpu', BusyWorkers => 'busy',
                IdleWorkers => 'idle');
    my %found;
    for my $line (split /\n/, $text) {
        my ($key, $value) = split /: /, $line;
        next unless defined $key;
        if ($key eq 'Scoreboard') {
            %found = (%found, count_letters($value));
        }
        elsif (my $name = $name{$key}) {
            $found{$name} = $value =~ /e/ ? 0 : $value;
            $found{$name} *= 1024 if $name eq 'bytes';
        }
    }
    return \%found;
}

# The first place where the words are, wherever that is in a line.
sub xymon {
    my ($text) = @_;
    my %found;
    for my $key (keys %{ key_of('xymon') }) {
        my $at = index $text, "$key:";
        next if $at < 0;
        my ($value) = substr($text, $at) =~ /: *([^\n]*)/;
        $found{$key} = $value;
    }
    die "Apache 1's\n" if $text =~ /(?:Busy|Idle)Servers:/;
    return \%found;
}

# In this order, and what is after "Scoreboard: " is all scoreboard.
sub check_apache_status {
    my ($text) = @_;
    $text =~ /.*BusyWorkers:\s(\d+).*IdleWorkers:\s(\d+).*Scoreboard:\s(.*)$/s
        or die "no status\n";
    my %found = (busy => $1, idle => $2);
    $found{open} = $3 =~ tr/.//;
    return \%found;
}

# The head of the answer is read as well; later lines win, and in a key there
# is nothing but what [A-z0-9 ] has.
sub zabbix {
    my ($text, $head) = @_;
    my %line;
    for my $line (split /\r?\n/, "$head\n$text") {
        $line{$1} = $2 if $line =~ /([A-z0-9 ]+): (.*)/;
    }
    $line{ServerUptimeSeconds} ||= $line{Uptime};
    $line{ServerVersion} ||= $line{Server};
    my %found = map { ($_ => $line{$_}) }
        grep { defined $line{$_} } values %mod_status,
        qw(ServerUptimeSeconds ServerMPM ServerVersion);
    return { %found, count_letters($line{Scoreboard} // die "no letters\n") };
}

1;
