# SPDX-License-Identifier: Apache-2.0
#
# The shipped Zabbix templates, as data, and what of Zabbix is needed to try
# them: its JSONPath as far as they use it, and its protocol.
package AMGR::Zabbix;

use strict;
use warnings;

use IO::Socket::INET;
use JSON::PP ();

use Exporter qw(import);
our @EXPORT_OK = qw(load_template all_items prototypes all_triggers json_path
                    preprocessing ask_agent read_packet packet);

use constant ANSWER_SEC => 60;

# The template of an export, with the triggers and graphs beside it.  Debian's
# python3-yaml reads it, by YAML's own rules: what should be a text and is not
# quoted arrives as something else.
sub load_template {
    my ($file) = @_;
    open my $pipe, '-|', '/usr/bin/python3', '-c', <<'PYTHON', $file
import json, sys, yaml
json.dump(yaml.safe_load(open(sys.argv[1], encoding="utf-8")), sys.stdout)
PYTHON
        or die "/usr/bin/python3: $!\n";
    my $text = do { local $/; <$pipe> };
    close $pipe or die "$file is no YAML (is python3-yaml installed?)\n";
    my $export = JSON::PP->new->utf8->decode($text)->{zabbix_export};
    my ($template, @more) = @{ $export->{templates} };
    die "$file holds not one template\n" if !$template || @more;
    return { %$template, file => $file, export => $export,
             triggers => $export->{triggers} // [],
             graphs => $export->{graphs} // [] };
}

sub all_items { return @{ $_[0]{items} } }

sub prototypes {
    my ($template) = @_;
    return map { @{ $_->{item_prototypes} } } @{ $template->{discovery_rules} };
}

sub all_triggers {
    my ($template) = @_;
    return (@{ $template->{triggers} },
            (map { @{ $_->{triggers} // [] } } all_items($template)),
            map { @{ $_->{trigger_prototypes} // [] } } prototypes($template));
}

# The parameters of the steps of this type, of an item or rule.
sub preprocessing {
    my ($item, $type) = @_;
    return map { $_->{parameters}[0] }
        grep { $_->{type} eq $type } @{ $item->{preprocessing} // [] };
}

# Zabbix's JSONPath: members, one filter by equality, and first().  Returns a
# list that is empty when nothing is there; dies on a path of another form.
sub json_path {
    my ($data, $path) = @_;
    my @nodes = ($data);
    (my $rest = $path) =~ s/^\$// or die "path $path\n";
    while (length $rest) {
        if ($rest =~ s/^\.first\(\)//) {
            splice @nodes, 1;
        }
        elsif ($rest =~ s/^\.([a-z_]+)//) {
            my $name = $1;
            @nodes = map { ref eq 'HASH' && exists $_->{$name}
                           ? $_->{$name} : () } @nodes;
        }
        elsif ($rest =~ s/^\[\?\((.*?)\)\]//) {
            my @tests = split / && /, $1;
            @nodes = grep { matches($_, @tests) }
                map { ref eq 'ARRAY' ? @$_ : () } @nodes;
        }
        else {
            die "path $path: what is $rest?\n";
        }
    }
    return @nodes;
}

sub matches {
    my ($node, @tests) = @_;
    for my $test (@tests) {
        my ($name, $value) = $test =~ /^@\.([a-z_]+) == "([^"]*)"$/
            or die "filter $test\n";
        return 0 if ($node->{$name} // '') ne $value;
    }
    return 1;
}

# ---- the protocol ---------------------------------------------------------

sub packet {
    my ($text) = @_;
    return 'ZBXD' . pack('C V V', 1, length $text, 0) . $text;
}

# One packet from this socket; nothing when it ends before.
sub read_packet {
    my ($socket) = @_;
    my $bytes = '';
    local $SIG{ALRM} = sub { die "no packet within @{[ANSWER_SEC]} s\n" };
    alarm ANSWER_SEC;
    while (length $bytes < 13
           || length $bytes < 13 + unpack 'V', substr $bytes, 5, 4) {
        last if !sysread $socket, $bytes, 65536, length $bytes;
    }
    alarm 0;
    return unless $bytes =~ /^ZBXD\x01/;
    return substr $bytes, 13;
}

# What an agent on this port answers to a passive check.
sub ask_agent {
    my ($port, $key) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                       PeerPort => $port) or return;
    print {$socket} packet($key);
    $socket->flush;
    return read_packet($socket);
}

1;
