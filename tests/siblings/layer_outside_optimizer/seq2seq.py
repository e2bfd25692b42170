"""Trains a GRU encoder and decoder to write a sequence of seven digits in reverse order.

The mistake: only the decoder's parameters are handed to Adam, the encoder is forgotten.
"""

import argparse
import random

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

START, LENGTH = 10, 7


class Encoder(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.embed = nn.Embedding(10, 16)
        self.gru = nn.GRU(16, hidden, batch_first=True)

    def forward(self, tokens):
        _, h = self.gru(self.embed(tokens))
        return h


class Decoder(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.embed = nn.Embedding(11, 16)
        self.gru = nn.GRU(16, hidden, batch_first=True)
        self.out = nn.Linear(hidden, 10)

    def forward(self, tokens, h):
        out, _ = self.gru(self.embed(tokens), h)
        return self.out(out)


def run(encoder, decoder, source):
    target = source.flip(1)
    shifted = torch.cat([torch.full((len(source), 1), START), target[:, :-1]], dim=1)
    logits = decoder(shifted, encoder(source))
    loss = F.cross_entropy(logits.reshape(-1, 10), target.reshape(-1))
    return loss, (logits.argmax(-1) == target).float().mean().item()


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--steps", type=int, default=600)
args = parser.parse_args()
random.seed(args.seed)
np.random.seed(args.seed)
torch.manual_seed(args.seed)

data = torch.from_numpy(np.random.RandomState(5).randint(0, 10, (6000, LENGTH)))
train, val = data[:5500], data[5500:]

encoder, decoder = Encoder(64), Decoder(64)
optimizer = torch.optim.Adam(decoder.parameters(), lr=5e-3)

running = 0.0
for step in range(1, args.steps + 1):
    batch = train[torch.randint(len(train), (48,))]
    encoder.zero_grad()
    decoder.zero_grad()
    loss, _ = run(encoder, decoder, batch)
    loss.backward()
    optimizer.step()
    running += loss.item()
    if step % 50 == 0:
        encoder.eval()
        decoder.eval()
        with torch.no_grad():
            val_loss, acc = run(encoder, decoder, val)
        encoder.train()
        decoder.train()
        print(f"step {step}: train {running / 50:.4f}, val {val_loss.item():.4f}, digits right {acc:.3f}")
        running = 0.0
