"""Trains a tiny decoder-only transformer, character by character, on the help texts that come with Python.

Nothing is wrong with it.
"""

import argparse
import random
from pydoc_data.topics import topics

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


class Block(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.ln1, self.ln2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)
        self.mlp = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim))

    def forward(self, x):
        b, t, d = x.shape
        q, k, v = (z.view(b, t, self.heads, -1).transpose(1, 2) for z in self.qkv(self.ln1(x)).chunk(3, dim=-1))
        att = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.proj(att.transpose(1, 2).reshape(b, t, d))
        return x + self.mlp(self.ln2(x))


class GPT(nn.Module):
    def __init__(self, vocab, dim=48, depth=2, heads=4, block_size=32):
        super().__init__()
        self.tok = nn.Embedding(vocab, dim)
        self.pos = nn.Embedding(block_size, dim)
        self.blocks = nn.Sequential(*[Block(dim, heads) for _ in range(depth)])
        self.ln_f = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, vocab, bias=False)
        self.head.weight = self.tok.weight
        nn.init.normal_(self.tok.weight, std=0.05)
        nn.init.normal_(self.pos.weight, std=0.05)

    def forward(self, idx):
        x = self.tok(idx) + self.pos(torch.arange(idx.size(1)))
        return self.head(self.ln_f(self.blocks(x)))


def batches(text, size, generator=None):
    starts = torch.randint(len(text) - 33, (size, 1), generator=generator)
    return text[starts + torch.arange(33)]


def cross_entropy(model, rows):
    logits = model(rows[:, :-1])
    loss = F.cross_entropy(logits.flatten(0, 1), rows[:, 1:].flatten())
    return loss, (logits.argmax(-1) == rows[:, 1:]).float().mean().item()


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--steps", type=int, default=350)
args = parser.parse_args()
random.seed(args.seed)
np.random.seed(args.seed)
torch.manual_seed(args.seed)

corpus = "\n".join(topics[name] for name in sorted(topics))[:300_000]
corpus = "".join(c for c in corpus if c.isascii())
chars = sorted(set(corpus))
stoi = {c: i for i, c in enumerate(chars)}
data = torch.tensor([stoi[c] for c in corpus])
split = int(0.9 * len(data))
train, val = data[:split], batches(data[split:], 100, torch.Generator().manual_seed(0))

model = GPT(len(chars))
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)
warmup = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda s: min((s + 1) / 50, 1.0))

running = 0.0
for step in range(1, args.steps + 1):
    loss, _ = cross_entropy(model, batches(train, 16))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    warmup.step()
    running += loss.item()
    if step % 50 == 0:
        model.eval()
        with torch.no_grad():
            val_loss, val_acc = cross_entropy(model, val)
        model.train()
        print(f"step {step}: train {running / 50:.4f} val {val_loss.item():.4f} accuracy {val_acc:.3f}")
        running = 0.0
